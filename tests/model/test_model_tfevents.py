from __future__ import annotations

import io
import json
import time

import pytest
from support.formats import field
from support.run_files import crc32c, event, files_of, scalar, scalar_tensor, text, tfrecord

from hubpub.model.curves import MOST_POINTS
from hubpub.model.run_config import read_run_configs
from hubpub.model.tfevents import EventFile, read_event_file, read_event_files

NAME = "runs/a/events.out.tfevents.1700000000.host.1.0"


def read(content: bytes) -> EventFile:
    return read_event_file(lambda: io.BytesIO(content), NAME)


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720 has it so


def test_scalars_of_every_writer() -> None:
    values = [scalar("a", 0.1), scalar_tensor("b", 0.25), scalar_tensor("c", 0.1, double=True)]
    more = [scalar_tensor("d", 0.5, raw=False), scalar_tensor("e", 1e300, double=True, raw=False)]
    file = read(event() + event(300, *values, *more) + event(301, scalar("a", 2e-05), time=1.7e9 + 60))
    assert file.problem is None
    assert {curve.name: curve.points for curve in file.curves} == {
        "a": ((300, 0.1), (301, 2e-05)),
        "b": ((300, 0.25),),
        "c": ((300, 0.1),),
        "d": ((300, 0.5),),
        "e": ((300, 1e300),),
    }
    assert (file.began, file.ended) == (1.7e9, 1.7e9 + 60)


def test_what_is_no_number_is_left_out() -> None:
    assert read(event() + event(1, scalar("a", float("nan")), scalar("b", float("inf")))).curves == ()


def test_a_negative_step_counts_as_the_first() -> None:
    assert read(event(2**64 - 1, scalar("a", 1.0))).curves[0].points == ((0, 1.0),)


def test_the_arguments_that_trainer_writes_are_read() -> None:
    arguments = {"learning_rate": 2e-05, "num_train_epochs": 3, "seed": 42, "max_steps": -1, "hub_token": "hf_x"}
    content = event() + event(0, text("args/text_summary", json.dumps(arguments)))
    events, unread = read_event_files(files_of({NAME: content}))
    assert unread == ()
    (config,), _ = read_run_configs(files_of({}), events)
    assert config.path == NAME
    assert {fact.name: fact.value for fact in config.settings} == {
        "learning_rate": 2e-05,
        "num_train_epochs": 3,
        "seed": 42,
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"x" * 100, "is no event file"),
        (event() + event(1, scalar("a", 1.0))[:-3], "is cut short"),
        (event() + b"\x01", "is cut short"),
        (event() + b"y" * 40, "is damaged at byte"),
        (tfrecord(b"\x0b\x0b"), "holds what is no event"),
        (event() + tfrecord(b"\x2a\xff\x01"), "holds what is no event"),
    ],
)
def test_broken_files(content: bytes, problem: str) -> None:
    file = read(content)
    assert file.problem is not None
    assert file.problem.startswith(problem)


def test_what_came_before_the_break_is_kept() -> None:
    assert read(event(1, scalar("a", 1.0)) + event(2, scalar("a", 2.0))[:-1]).curves[0].points == ((1, 1.0),)


def test_a_long_run_is_thinned_and_keeps_its_ends() -> None:
    started = time.process_time()
    record = event(7, scalar("loss", 1.0))
    file = read(event(1, scalar("loss", 3.0)) + record * 25_000 + event(9, scalar("loss", 0.5)))
    (curve,) = file.curves
    assert curve.count == 25_002
    assert len(curve.points) <= MOST_POINTS
    assert (curve.points[0], curve.points[-1], curve.last) == ((1, 3.0), (9, 0.5), 0.5)
    assert time.process_time() - started < 3


def test_large_records_are_passed_over() -> None:
    image = tfrecord(field(2, 1) + field(5, field(1, field(1, "img") + field(4, bytes(2 << 20)))))
    file = read(event() + image + event(2, scalar("a", 1.0)))
    assert (file.problem, [curve.name for curve in file.curves]) == (None, ["a"])


def test_many_fields_end_the_reading() -> None:
    started = time.process_time()
    assert "more events than are read" in str(read(tfrecord(field(2, 1) * 400_000) * 10).problem)
    assert time.process_time() - started < 20
