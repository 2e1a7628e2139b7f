"""The log, the state tables, the lake, the artefacts: the only room that meets an engine."""
