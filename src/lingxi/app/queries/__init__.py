"""The answers, one concept a file; ``Answers`` is their face."""
