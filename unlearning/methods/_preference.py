"""Direct preference optimization, whatever the preferred answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.lazy import F
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

PREFERENCE = (
    r"\mathcal{L} = -\frac{2}{\beta}\,\mathbb{E}\,\log\sigma\!\Bigl(\beta\log"
    r"\frac{p_\theta(y_w \mid x)}{p_{\theta_0}(y_w \mid x)} - \beta\log"
    r"\frac{p_\theta(y_l \mid x)}{p_{\theta_0}(y_l \mid x)}\Bigr) + w_R\,\mathcal{L}_R"
)
COST = (
    "3.67 (4.0 with the KL term): forget text, other answer and retain batch, and the original "
    "model on the first two."
)


class Preference(Method):
    """Prefer another answer (y_w) to the forget text (y_l), both measured against the original.

    Log-probabilities are sums over the counted tokens of a sequence, the loss is a mean over
    sequences (Rafailov et al., arXiv:2305.18290, equation 7, times 2/beta as in TOFU and NPO, so
    that learning rates compare). Its gradient is 2 sigmoid(-beta * margin) times that of the
    margin's fall, at most 2.
    """

    needs = frozenset(
        {"reference", "preferred", "preferred_reference", "retain", "retain_reference"}
    )

    beta: float = hyperparameter(0.02, 0.001, 5.0)
    """How soon the push fades once the other answer is preferred; 0.1 is the papers' value."""
    retain_weight: float = hyperparameter(5.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 1 is the paper, 0 leaves it out."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        own = frozenset({"reference", "preferred", "preferred_reference"})
        return own | retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        won_B = batch.preferred.logp_B - batch.preferred_reference.logp_B.detach()
        lost_B = batch.forget.logp_B - batch.reference.logp_B.detach()
        push_B = -2 / self.beta * F.logsigmoid(self.beta * (won_B - lost_B))
        terms = {"forget": batch.forget.mean_over_sequences(push_B)}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
