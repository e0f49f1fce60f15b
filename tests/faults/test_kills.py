"""kill -9 at random moments; TILESEARCH_KILLS sets how many (a few by default)."""

import os

from kills import campaign


def test_kill_9_at_random_moments(tmp_path):
    count = int(os.environ.get("TILESEARCH_KILLS", "4"))
    figures = campaign(tmp_path, count, seed=int(os.environ.get("TILESEARCH_SEED", "7")))
    print(figures)
    assert figures["kills"] == count
    assert figures["lost"] == 0, "a journal has lost a finished training"
    assert figures["repeated"] == 0, "a finished training was trained again"
    assert figures["wrong"] == 0, "a table differs from the undisturbed run's"
