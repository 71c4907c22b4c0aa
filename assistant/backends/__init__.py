"""One file per library. This list is the only place that knows them all.

A new backend is one file, one line here, and one extra in ``pyproject.toml``.
"""

from __future__ import annotations

import importlib.util

from ..hookspecs import Backend, hookimpl


@hookimpl
def assistant_backends() -> list[Backend]:
    """Return the backends that ship with the assistant."""
    here = __name__
    llama = "ik_llama_cpp" if importlib.util.find_spec("ik_llama_cpp") else "xllamacpp"
    return [
        Backend("vad", "silero", f"{here}.silero:SileroActivity", libraries=("onnxruntime",)),
        Backend("asr", "faster-whisper", f"{here}.faster_whisper:FasterWhisper", libraries=("faster_whisper",)),
        Backend("asr", "openai-whisper", f"{here}.openai_whisper:OpenAIWhisper", "whisper", ("whisper", "torch")),
        Backend("hearer", "head", f"{here}.head_hearer:HeadHearer", libraries=("safetensors",)),
        Backend("hearer", "transformers", f"{here}.hub_hearer:HubHearer", "gpu", ("transformers", "torch")),
        Backend("eyes", "efficientnet", f"{here}.efficientnet:EfficientNetEyes", libraries=("onnxruntime",)),
        Backend("reader", "rapidocr", f"{here}.rapidocr:RapidReader", libraries=("rapidocr",)),
        Backend("reader", "zxing", f"{here}.zxing:ZxingReader", libraries=("zxingcpp",)),
        Backend("reader", "captioner", f"{here}.captioner:Captioner", "gpu", ("transformers", "torch")),
        Backend("fuser", "grid", "assistant.fusion.grid:GridFuser", libraries=("safetensors",)),
        Backend("session", "llama", f"{here}.llama:LlamaSession", libraries=(llama,)),
        Backend(
            "session", "transformers", f"{here}.transformers:TransformersSession", "gpu", ("transformers", "torch")
        ),
        Backend("brain", "vision", f"{here}.vision_brain:VisionBrain", "gpu", ("transformers", "torch")),
        Backend("brain", "server", f"{here}.server_brain:ServerBrain"),
        Backend("translator", "transformers", f"{here}.hub_translator:HubTranslator", "gpu", ("transformers", "torch")),
        Backend("painter", "diffusers", f"{here}.diffusers:DiffusersPainter", "draw", ("diffusers", "torch")),
        Backend("voice", "piper", f"{here}.piper:PiperVoice", libraries=("piper",)),
        Backend("voice", "pico", f"{here}.pico:PicoVoice"),
        Backend("voice", "espeak", f"{here}.espeak:EspeakVoice"),
        Backend("voice", "coqui", f"{here}.coqui:CoquiVoice", "coqui", ("TTS",)),
        Backend("turn", "smart-turn", f"{here}.smart_turn:SmartTurn", libraries=("onnxruntime", "faster_whisper")),
        Backend("turn", "words", f"{here}.words_turn:WordsTurn"),
        Backend("wake", "micro", f"{here}.micro_wakeword:MicroWake", "wake", ("pymicro_wakeword",)),
        Backend("wake", "phrase", f"{here}.phrase_wake:PhraseWake", libraries=("faster_whisper",)),
        Backend("echo", "webrtc", f"{here}.webrtc:WebRtcEcho", libraries=("livekit.rtc",)),
        Backend("microphone", "sounddevice", f"{here}.sounddevice:DeviceMicrophone", libraries=("sounddevice",)),
        Backend("microphone", "file", f"{here}.files:FileMicrophone"),
        Backend("speaker", "sounddevice", f"{here}.sounddevice:DeviceSpeaker", libraries=("sounddevice",)),
        Backend("speaker", "file", f"{here}.files:FileSpeaker"),
        Backend("camera", "opencv", f"{here}.opencv:OpenCVCamera", libraries=("cv2",)),
        Backend("camera", "file", f"{here}.files:FileCamera"),
    ]
