from typing import Any

from yaml import YAMLError

class ComposerError(YAMLError):
    def __init__(
        self, context: Any, context_mark: Any, problem: str, problem_mark: Any
    ) -> None: ...
