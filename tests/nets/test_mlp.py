import torch

from penchant.nets import DecoderOptions, EncoderOptions, MLPDecoder, MLPEncoder
from penchant.testing.nets import random_features


def test_an_encoder_without_hidden_layers_is_linear_in_its_inputs(layout):
    net = MLPEncoder(layout, 3, EncoderOptions(hidden=(), inputs="vector", unseen=0.0))
    assert len(net.rest) == 0
    assert net(random_features(layout, 4)).shape == (4, 3)


def test_unseen_dropout_is_off_in_evaluation(layout):
    net = MLPEncoder(layout, 3, EncoderOptions(unseen=0.9)).eval()
    features = random_features(layout, 4)
    assert torch.equal(net(features), net(features))
    net.train()
    assert not torch.equal(net(features), net(features))


def test_a_decoder_starts_at_the_population_and_stays_inside_the_unit_cube():
    torch.manual_seed(0)
    decoder = MLPDecoder(4, 3, DecoderOptions(hidden=()))
    mean = torch.tensor([0.2, 0.5, 0.9])
    decoder.prepare(mean)
    torch.testing.assert_close(decoder(torch.zeros(1, 4))[0], mean)
    far = decoder(torch.randn(100, 4))
    assert far.min() > 0
    assert far.max() < 1
    assert torch.equal(torch.sigmoid(decoder.logits(torch.ones(1, 4))), decoder(torch.ones(1, 4)))


def test_a_decoder_prepared_with_a_missing_mean_starts_in_the_middle():
    decoder = MLPDecoder(2, 1, DecoderOptions(hidden=(), linear=False))
    decoder.prepare(torch.tensor([torch.nan]))
    assert decoder(torch.zeros(1, 2)).item() == 0.5
