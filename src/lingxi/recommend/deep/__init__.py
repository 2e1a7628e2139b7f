"""A transformer over what a customer did, in order of time: trained with PyTorch, served without.

``sequences`` cuts histories into batches, ``network`` is the model, ``training`` teaches it,
``export`` turns it into ONNX; those three need ``lingxi[deep]``. ``encoder`` runs what was exported
and needs ``lingxi[onnx]``; ``scorer`` is the ``Scorer``; ``shares`` says what each item gave.
"""
