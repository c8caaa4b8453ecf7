"""Cox' model with a linear risk: what a person would try first on times."""

import numpy as np
from scipy import optimize

from keras_fusion.survival import concordance

PENALTIES = tuple(10.0**k for k in range(-4, 2))


class LinearCox:
    """A risk that is linear in standardized columns, by the penalized likelihood.

    Args:
        penalty: Of half the squared length of the coefficients, beside minus the mean
            logarithm of the partial likelihood of an event.

    Reference: Cox, 1972, Regression Models and Life-Tables.
    """

    def __init__(self, penalty: float):
        self.penalty = penalty

    def fit(self, x: np.ndarray, labels: np.ndarray) -> "LinearCox":
        """Fits to columns `(B, features)` and times and events `(B, 2)`."""
        self.mean, self.std = x.mean(axis=0), x.std(axis=0)
        self.std = np.where(self.std > 0, self.std, 1)
        order = np.argsort(labels[:, 0], kind="stable")
        x = ((x - self.mean) / self.std)[order].astype(np.float64)
        times, events = labels[order].T.astype(np.float64)
        first = np.searchsorted(times, times)  # of those at the same time
        last = np.searchsorted(times, times, side="right") - 1

        def loss(weights):
            risks = x @ weights
            shares = np.exp(risks - risks.max())
            at_risk = np.cumsum(shares[::-1])[::-1][first]
            hazard = shares * np.cumsum(events / at_risk)[last]
            lost = np.log(at_risk) + risks.max() - risks
            slope = x.T @ (hazard - events) / events.sum()
            return (
                events @ lost / events.sum() + self.penalty / 2 * weights @ weights,
                slope + self.penalty * weights,
            )

        start = np.zeros(x.shape[1])
        self.weights = optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """`(B, 1)`: the logarithm of the risk."""
        return ((x - self.mean) / self.std @ self.weights)[:, None].astype(np.float32)


def fitted(x, labels, held_out, held_out_labels) -> LinearCox:
    """The one of `PENALTIES` whose concordance on rows that did not train is highest.

    Args:
        x, labels: Of rows that train, as for `LinearCox.fit`.
        held_out, held_out_labels: Of others.
    """
    models = [LinearCox(penalty).fit(x, labels) for penalty in PENALTIES]
    times, events = held_out_labels.T
    scores = [concordance(times, events, m.predict(held_out)) for m in models]
    return models[int(np.nanargmax([*scores]) if np.isfinite(scores).any() else 0)]
