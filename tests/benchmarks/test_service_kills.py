"""The kill test of the service, in small: does everything with a receipt end as it should, once?"""

import postgres
import pytest
import service_kills
from harness import LeftOutError
from needed import missing

SMALL = ["--kills", "2", "--students", "8", "--within", "15", "--every", "3", "--seed", "1"]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_class_survives_kills_of_server_graders_and_database(database: str, bubblewrap: None) -> None:
    if database == "postgresql":
        try:
            postgres.find_programs()
        except LeftOutError as why:
            missing(str(why))
    assert service_kills.main([*SMALL, "--database", database]) == 0


@pytest.mark.slow
def test_class_survives_kills_of_scheduler_and_workers(bubblewrap: None) -> None:
    assert service_kills.main([*SMALL, "--scheduler"]) == 0
