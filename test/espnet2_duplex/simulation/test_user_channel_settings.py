import pytest

from espnet2_duplex.simulation.user_channel.settings import (
    Echo,
    Level,
    Noise,
    PacketLoss,
    Room,
    Telephone,
    UserChannel,
)


def test_no_effect_is_on_by_default():
    channel = UserChannel()
    effects = vars(channel).values()
    assert [effect.share for effect in effects] == [0.0] * 6


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Room(share=1.5), r"share is 1.5; a share is from 0 to 1"),
        (lambda: Echo(distortion_share=-1), r"distortion_share is -1"),
        (lambda: Noise(snr_range_db=(30, 10)), r"snr_range_db is \[30, 10\]"),
        (lambda: Noise(colour_range=(0, 1)), r"between 0 and 0.999"),
        (lambda: PacketLoss(loss_rate_range=(0, 0.9)), r"between 0 and 0.5"),
        (lambda: PacketLoss(burst_packets_range=(0.5, 2)), r"between 1 and 100"),
        (lambda: Echo(delay_range_seconds=(-0.1, 0.2)), r"between 0 and 5"),
        (lambda: Telephone(law="gsm"), r"law is 'gsm'; expected one of mu, a, both"),
        (lambda: Level(wander_seconds=0.0), r"wander_seconds is 0.0"),
    ],
)
def test_values_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
