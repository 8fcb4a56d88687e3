"""For training code: keep, beside the model, what its card will need, so that nobody has to be asked later.

With transformers' Trainer:

    from hubpub.training import CardCallback

    trainer = Trainer(..., callbacks=[CardCallback()])

In a loop of one's own:

    from hubpub.training import record

    with record("my-model") as run:
        run.data(dataset, split="train")
        for step, batch in enumerate(batches):
            ...
            run.log(step=step, loss=loss)
        run.evaluate({"accuracy": 0.93}, data=test_set)

Both write `hubpub_run.json`, which is described in docs/training.md. They never stop a training: what goes wrong here
becomes one warning in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubpub.training.record import RunRecord, record

if TYPE_CHECKING:
    from hubpub.training.callback import CardCallback

__all__ = ["CardCallback", "RunRecord", "record"]


def __getattr__(name: str) -> Any:
    # the callback is a class of transformers', whose import takes seconds
    if name == "CardCallback":
        from hubpub.training.callback import CardCallback

        return CardCallback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
