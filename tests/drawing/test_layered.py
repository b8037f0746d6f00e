"""Places of boxes and ways of edges: nothing on top of anything else, straight where it can be."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_vg.drawing.explorer.layered import LABEL_HEIGHT, LANE, SEPARATION, Box, Link, arrange


@st.composite
def graphs(draw):
    """Boxes of several sizes, and links from earlier to later ones, some of them double."""
    n = draw(st.integers(1, 12))
    boxes = [
        Box(
            draw(st.sampled_from([60.0, 118.0])),
            34.0,
            draw(st.sampled_from([30.0, 90.0])),
            30.0,
            left=draw(st.sampled_from([0.0, 80.0])),
            right=draw(st.sampled_from([0.0, 95.0])),
        )
        for _ in range(n)
    ]
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] < pair[1])
    links = [
        Link(a, b, draw(st.sampled_from([0.0, 70.0]))) for a, b in (draw(st.lists(ends, max_size=16)) if n > 1 else [])
    ]
    return boxes, sorted(links, key=lambda link: link.target)


def frame(box):
    return box.x - box.left, box.y - box.up, box.x + box.right, box.y + box.down


def touch(a, b):
    return a[0] < b[2] - 1e-6 and b[0] < a[2] - 1e-6 and a[1] < b[3] - 1e-6 and b[1] < a[3] - 1e-6


@given(graphs())
def test_boxes_and_labels_lie_apart_and_inside(graph):
    boxes, links = graph
    layout = arrange(boxes, links)
    for box in boxes:
        left, top, right, low = frame(box)
        assert left > 0
        assert top > 0
        assert right < layout.width
        assert low < layout.height
    for a, b in combinations(boxes, 2):
        left, top, right, low = frame(b)
        assert not touch(frame(a), (left, top - (SEPARATION - 1), right, low + SEPARATION - 1))
    labels = [link for link in links if link.label]
    for link in labels:
        x, y = link.label_at
        words = (x - link.label / 2, y, x + link.label / 2, y + LABEL_HEIGHT)
        cores = [(b.x - b.width / 2, b.y - b.up, b.x + b.width / 2, b.y + b.core) for b in boxes]
        assert not any(touch(words, core) for core in cores)
    for a, b in combinations(labels, 2):
        same_gap = abs(a.label_at[0] - b.label_at[0]) < 1
        assert not same_gap or abs(a.label_at[1] - b.label_at[1]) > LABEL_HEIGHT - 1e-6


@given(graphs())
def test_links_run_from_left_to_right_past_the_boxes(graph):
    boxes, links = graph
    arrange(boxes, links)
    for link in links:
        source, target = boxes[link.source], boxes[link.target]
        xs = [x for x, _ in link.points]
        assert xs == sorted(xs)
        assert abs(xs[0] - (source.x + source.width / 2)) < 1e-6
        assert abs(xs[-1] - (target.x - target.width / 2)) < 1e-6
        others = [box for box in boxes if box is not source and box is not target]
        for (x0, y0), (x1, y1) in zip(link.points[::2], link.points[1::2], strict=True):
            assert y0 == y1  # straight within a column, and past its boxes with both lanes
            assert not any(touch((x0, y0, x1, y1 + LANE), frame(box)) for box in others)


def test_links_go_up_to_a_box_that_is_narrower_than_its_column():
    boxes = [
        Box(60.0, 34.0, 30.0, 30.0),
        Box(60.0, 34.0, 30.0, 30.0, left=100.0, right=45.0),
        Box(60.0, 34.0, 30.0, 30.0),
    ]
    arrange(boxes, links := [Link(0, 1), Link(1, 2)])
    (*_, edge, end), (start, other, *_) = links[0].points, links[1].points
    assert end[0] - edge[0] == 100 - 30
    assert other[0] - start[0] == 45 - 30
    assert end[0] == boxes[1].x - 30
    assert start[0] == boxes[1].x + 30


def test_a_wide_label_keeps_off_what_stands_close_below():
    boxes = [Box(60.0, 34.0, 30.0, 30.0) for _ in range(5)]  # z → a → … → d past c, and z → b → c → d
    links = [Link(0, 1), Link(0, 2), Link(2, 3), Link(1, 4, 150.0), Link(3, 4)]
    arrange(boxes, links)
    (x, y), left, top = links[3].label_at, boxes[3].x - 30, boxes[3].y - 34
    assert boxes[1].y < y < top < y + LABEL_HEIGHT  # beside the box below its wire
    assert x + 75 < left


def test_a_chain_is_a_straight_line():
    boxes = [Box(118.0, 34.0, 52.0, 52.0) for _ in range(6)]
    links = [Link(i, i + 1, 70.0) for i in range(5)]
    arrange(boxes, links)
    assert len({box.y for box in boxes}) == 1
    assert {y for link in links for _, y in link.points} == {boxes[0].y}
    assert boxes[1].x - boxes[0].x < 118 + 60  # labels hang below, and need no wider gaps


def test_a_leaf_stands_next_to_its_user():
    boxes = [Box(60.0, 30.0, 30.0, 30.0) for _ in range(4)]  # a → b → c, and d → c
    arrange(boxes, links := [Link(0, 1), Link(1, 3), Link(2, 3)])
    assert boxes[2].column == boxes[1].column == 1
    assert len(links[2].points) == 4  # no column in between


def test_crossings_are_removed_where_they_can_be():
    boxes = [Box(60.0, 30.0, 30.0, 30.0) for _ in range(6)]
    arrange(boxes, [Link(0, 5), Link(1, 4), Link(2, 3)])  # three pairs, the wrong way round
    heights = [(boxes[a].y, boxes[b].y) for a, b in ((0, 5), (1, 4), (2, 3))]
    assert sorted(heights) == sorted(heights, key=lambda pair: pair[1])
