"""The layouts of images: one table for every rank."""

import numpy as np
import pytest

from tf_tconv.layouts import AXIS_UNITS, LAYOUTS, NAMES_BY_RANK

TABLE = {
    # name: rank, spatial axes, channels, whether these are last
    "NWC": (1, (1,), 2, True),
    "NCW": (1, (2,), 1, False),
    "NHWC": (2, (1, 2), 3, True),
    "NCHW": (2, (2, 3), 1, False),
    "NDHWC": (3, (1, 2, 3), 4, True),
    "NCDHW": (3, (2, 3, 4), 1, False),
}


@pytest.mark.parametrize("name", TABLE)
def test_where_the_axes_stand(name):
    layout = LAYOUTS[name]
    found = (layout.rank, layout.spatial, layout.channel, layout.channels_last)
    assert (layout.name, found) == (name, TABLE[name])
    assert name in NAMES_BY_RANK[layout.rank]
    assert len(AXIS_UNITS[layout.rank]) == layout.rank


@pytest.mark.parametrize("name", TABLE)
def test_orders_lead_to_channels_last_and_back(name):
    layout = LAYOUTS[name]
    shape = dict(zip(name, (5, *range(2, 2 + len(name) - 1)), strict=True))
    image = np.empty([shape[letter] for letter in name])
    last = image.transpose(layout.to_channels_last)
    letters = name.replace("C", "") + "C"
    assert last.shape == tuple(shape[letter] for letter in letters)
    assert last.transpose(layout.from_channels_last).shape == image.shape


def test_channels_last_comes_first_for_every_rank():
    assert set(LAYOUTS) == set(TABLE)
    assert {name for names in NAMES_BY_RANK.values() for name in names} == set(TABLE)
    for last, first in NAMES_BY_RANK.values():
        assert LAYOUTS[last].channels_last
        assert not LAYOUTS[first].channels_last
