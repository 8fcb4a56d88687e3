from __future__ import annotations

import pytest
from support.run_files import files_of

from hubpub.model.emissions import parse_emissions, read_emissions
from hubpub.model.run_facts import read_run_facts

# The columns of codecarbon 3.3.2.
HEADER = (
    "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,"
    "cpu_energy,gpu_energy,ram_energy,energy_consumed,water_consumed,country_name,country_iso_code,region,cloud_provider,"
    "cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,"
    "ram_total_size,tracking_mode,cpu_utilization_percent,gpu_utilization_percent,ram_utilization_percent,ram_used_gb,"
    "on_cloud,pue,wue"
)


def row(run_id: str, seconds: float, kilograms: float) -> str:
    return (
        f"2026-01-02T03:04:05,train,{run_id},e,{seconds},{kilograms},1e-6,42.5,300,10,0.1,0.5,0.05,0.65,0,France,FRA,"
        "île-de-france,,,Linux-6.1,3.11.7,3.3.2,8,AMD EPYC,2.0,2 x NVIDIA H100,2.3522,48.8566,62.5,machine,1,2,3,4,N,1,"
    )


def test_a_run_and_where_it_stands() -> None:
    text = "\n".join([HEADER, row("a", 10, 0.001), row("b", 5, 0.5), row("a", 100.5, 0.0123)]) + "\n"
    first, last = parse_emissions(text.encode(), "emissions.csv")
    assert (first.run_id, first.line) == ("b", 3)
    assert (last.run_id, last.line, last.kilograms, last.seconds, last.kilowatt_hours) == ("a", 4, 0.0123, 100.5, 0.65)
    assert (last.text("country_name"), last.text("region")) == ("France", "île-de-france")
    assert (last.text("gpu_model"), last.number("gpu_count")) == ("2 x NVIDIA H100", 2.0)
    assert last.text("cloud_provider") is None
    assert "48.8566" not in repr(last)


def test_hardware_and_versions_of_a_run() -> None:
    facts = read_run_facts(files_of({"emissions.csv": f"{HEADER}\n{row('a', 1, 1)}\n"}))
    assert {fact.name: fact.value for fact in facts.hardware} == {
        "cpu_count": 8,
        "gpu_count": 2,
        "memory": 62.5 * (1 << 30),
        "cpu": "AMD EPYC",
        "gpu": "2 x NVIDIA H100",
    }
    assert {fact.name: fact.value for fact in facts.software} == {
        "os": "Linux-6.1",
        "python": "3.11.7",
        "codecarbon": "3.3.2",
    }
    assert facts.hardware[0].line == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has not the columns of codecarbon"),
        ("a,b\n1,2\n", "has not the columns of codecarbon"),
        (f'emissions,duration\n"{"x" * 200_000}",1\n', "is not CSV"),
    ],
)
def test_other_files_are_named(content: str, reason: str) -> None:
    found, unread = read_emissions(files_of({"emissions.csv": content}))
    assert found == ()
    assert unread[0].reason.startswith(reason)


@pytest.mark.parametrize("kilograms", ["", "nan", "inf", "-1", "x", "1e999", "9" * 500])
def test_rows_without_emissions_are_left_out(kilograms: str) -> None:
    assert parse_emissions(f"emissions,duration\n{kilograms},1\n".encode(), "e.csv") == ()


def test_short_rows_and_quoted_lines() -> None:
    text = 'project_name,emissions,duration,run_id\n"a\nb",1,2,r\nx\n'
    (run,) = parse_emissions(text.encode(), "e.csv")
    assert (run.line, run.text("project_name")) == (2, "a b")


def test_nothing_there() -> None:
    assert not read_run_facts(files_of({}))
