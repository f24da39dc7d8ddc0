import pytest
import torch

from penchant.nets import EncoderOptions, MLPEncoder, WideDeepEncoder
from penchant.testing.nets import check_net, random_features

CROSSED = {"kind": "wide_deep", "crosses": (("age", "job"), ("tags", "member", "user_id")), "cross_buckets": 64}


@pytest.mark.parametrize("inputs", ["embedding", "vector"])
def test_laws_with_crosses(layout, context, inputs):
    options = EncoderOptions(hidden=(8,), embedding_dim=4, bins=3, unseen=0.0, inputs=inputs, **CROSSED)
    check_net(WideDeepEncoder, layout, context, options=options)


def test_crosses_are_added_to_what_a_plain_network_gives(layout):
    features, options = random_features(layout, 6), EncoderOptions(hidden=(8,), **CROSSED)
    net, plain = WideDeepEncoder(layout, 3, options).eval(), MLPEncoder(layout, 3, options).eval()
    net.prepare(features)
    torch.nn.init.normal_(net.crosses.table)
    plain.load_state_dict({n: t for n, t in net.state_dict().items() if not n.startswith("crosses.")})
    torch.testing.assert_close(net(features), plain(features) + net.crosses(features))
