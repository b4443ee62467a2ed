"""The field's terms in plain words: word, term, what it means."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str, str], ...] = (
    ("text to forget", "forget set", "What the model should behave as if it had never seen it."),
    ("text to keep", "retain set", "Text of the same kind that must stay as it was."),
    ("general text", "generic set", "Ordinary prose; it shows whether the language itself stays."),
    ("unseen text", "holdout set", "Text of the same kind that the model was never trained on."),
    (
        "words recited", "memorization accuracy",
        "Shown the text, how often the model's best guess for the next token is right.",
    ),
    (
        "recited by itself", "extraction likelihood",
        "How many stretches of the text come out when the model goes on from a beginning alone.",
    ),
    (
        "never-saw-it level", "reference level",
        "What a model scores that never saw the text: there forgetting ends, and not at 0.",
    ),
    (
        "over-forgotten", "over-unlearning",
        "Below that level: the model avoids the text, which betrays that it was there.",
    ),
    (
        "how surprised", "perplexity",
        "Among how many tokens the model hesitates at each step; 1 is certainty.",
    ),
    ("loss", "negative log-likelihood", "Surprise at a token, in nats: minus the logarithm of its "
     "probability."),
    (
        "collapse", "model collapse",
        "The model repeats a token or writes nothing that is language any more.",
    ),
    ("original", "reference model", "The model before this run; nothing in it is changed."),
    (
        "gradient ascent", "GA, UL",
        "A training step in the wrong direction, so that the text becomes less likely.",
    ),
    (
        "staying with the original", "KL divergence",
        "How far two models' predictions differ, over all tokens; 0 means they agree.",
    ),
    ("adapter", "LoRA", "A small set of added weights that is trained in place of the model's "
     "own."),
    ("look", "probe", "The model in training is measured and asked the pinned prompts."),
    ("kept state", "snapshot", "Weights and all else that is needed to go on from a step."),
    (
        "relearning", "relearning attack",
        "Train on a part of the text and see whether the rest comes back with it.",
    ),
    (
        "rounding", "quantization",
        "Weights stored with fewer bits; small changes may be lost, and the text come back.",
    ),
    (
        "was it in the training data?", "membership inference",
        "Telling text that was trained on from text that was not, by how the model treats it.",
    ),
)  # fmt: skip
