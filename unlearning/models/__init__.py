"""Models: loading, adapters, passes, generation, memory."""

import warnings

# peft 0.21 asks transformers 5 by an old name; nothing that we or our users could change.
warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
