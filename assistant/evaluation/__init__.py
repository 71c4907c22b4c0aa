"""``assistant eval``: one module a task, each with ``run(app, items) -> dict``."""
