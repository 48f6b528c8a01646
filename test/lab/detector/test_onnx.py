"""Our ONNX file says what PyTorch says; a foreign one is checked and understood."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import TorchDetector, load_detector
from rgb2swir_ros.lab.detector.onnx import OnnxDetector, export_onnx, open_detector
from rgb2swir_ros.lab.scenes.annotations import read_annotations, read_display_value

from ..toy import CLASSES

BOXES = np.array([[2, 4, 12, 14], [30, 20, 50, 40], [0, 0, 0, 0]], np.float32)


@pytest.fixture(scope='module')
def exported(lively, tmp_path_factory):
    """Return our file, made for 96x64 frames."""
    file = tmp_path_factory.mktemp('onnx') / 'detector.onnx'
    export_onnx(lively, file, (64, 96))
    return file


def foreign(path, *, shape=(1, 1, 64, 96), kind=TensorProto.FLOAT, outputs=None):
    """Write a detector that always says the same, its best score being the input's maximum."""
    outputs = outputs or {'boxes': BOXES, 'labels': np.array([0, 2, 1], np.int64)}
    nodes = [helper.make_node('Constant', [], [name], value=numpy_helper.from_array(value))
             for name, value in outputs.items()]
    infos = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in outputs.items()]
    if 'scores' not in outputs:
        rest = numpy_helper.from_array(np.array([.5, .4], np.float32))
        nodes += [helper.make_node('Constant', [], ['one'], value=numpy_helper.from_array(
                      np.array([1], np.int64))),
                  helper.make_node('ReduceMax', ['picture'], ['highest'], keepdims=0),
                  helper.make_node('Reshape', ['highest', 'one'], ['first']),
                  helper.make_node('Constant', [], ['rest'], value=rest),
                  helper.make_node('Concat', ['first', 'rest'], ['scores'], axis=0)]
        infos.append(helper.make_tensor_value_info('scores', TensorProto.FLOAT, (3,)))
    graph = helper.make_graph(
        nodes, 'foreign', [helper.make_tensor_value_info('picture', kind, shape)], infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def test_parity_with_pytorch(lively, exported, toy):
    ours, theirs = load_detector(lively), OnnxDetector(exported)
    assert theirs.classes == ours.classes == CLASSES
    display_values = [read_display_value(f.path) for f in read_annotations(toy, 'test').frames]
    for a, b in zip(ours.detect(display_values), theirs.detect(display_values), strict=True):
        assert len(a.scores) > 10
        assert np.abs(a.scores - b.scores).max() < 1e-4
        assert np.abs(a.boxes - b.boxes).max() < 1e-2
        assert np.array_equal(a.labels, b.labels)


def test_batch_is_free(lively, exported):
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(exported), providers=['CPUExecutionProvider'])
    display_values = np.random.default_rng(0).random((3, 1, 64, 96), np.float32)
    boxes, scores = session.run(['boxes', 'scores'], {'tone': display_values})
    with torch.no_grad():
        expected = load_detector(lively).network(torch.from_numpy(display_values))
    assert np.allclose(boxes, expected[0].numpy(), atol=1e-2)
    assert np.allclose(scores, expected[1].numpy(), atol=1e-4)


def test_larger_frames_are_shrunk_and_boxes_brought_back(exported):
    display_value = np.random.default_rng(0).random((64, 96), np.float32)
    large = np.repeat(np.repeat(display_value, 2, axis=0), 2, axis=1)
    detector = OnnxDetector(exported)
    small, big = detector.detect([display_value, large])
    assert np.abs(big.boxes - 2 * small.boxes).max() < .1
    assert np.allclose(big.scores, small.scores, atol=1e-3)


def test_final_outputs_of_a_foreign_detector(tmp_path):
    detector = OnnxDetector(foreign(tmp_path / 'f.onnx'))
    assert detector.classes == CLASSES
    found = detector.detect([np.full((64, 96), .7, np.float32)])[0]
    assert found.boxes.tolist() == BOXES[:2].tolist()  # the box without an area is left out
    assert found.scores.tolist() == pytest.approx([.7, .5])
    assert found.labels.tolist() == [0, 2]


def test_yaml_scales_and_names(tmp_path):
    (tmp_path / 'f.yaml').write_text('scale: 255\nmean: [100, 1.5, 5]\nstd: 10\n'
                                     'classes: {2: bus, 5: car}\n')
    detector = OnnxDetector(foreign(tmp_path / 'f.onnx', shape=(1, 3, 'h', 'w')))
    assert detector.classes == ('bus', 'car')
    found = detector.detect([np.full((40, 50), .1, np.float32)])[0]
    assert found.labels.tolist() == [0]
    assert detector.dropped == 1
    sharp = foreign(tmp_path / 'g.onnx', shape=(1, 3, 'h', 'w'))
    (tmp_path / 'g.yaml').write_text('scale: 255\nmean: [100, 1.5, 5]\nstd: 10\n')
    found = OnnxDetector(sharp).detect([np.full((40, 50), .1, np.float32)])[0]
    assert found.scores.tolist() == pytest.approx([2.4, .5])  # max over channels: the second


def test_dense_outputs_are_thinned_out(tmp_path):
    scores = np.zeros((1, 3, 6), np.float32)
    scores[0, :, 1] = [.9, .8, .7]
    boxes = np.array([[[2, 4, 12, 14], [2, 4, 12, 15], [30, 20, 50, 40]]], np.float32)
    path = foreign(tmp_path / 'f.onnx', outputs={'boxes': boxes, 'scores': scores})
    found = OnnxDetector(path).detect([np.zeros((64, 96), np.float32)])[0]
    assert found.boxes.tolist() == boxes[0, [0, 2]].tolist()
    assert found.labels.tolist() == [1, 1]


@pytest.mark.parametrize(('options', 'text'), [
    ({'shape': (1, 2, 64, 96)}, r'1 or 3 channels.*picture tensor\(float\) \[1, 2, 64, 96\]'),
    ({'shape': (4, 1, 64, 96)}, 'batches of 1'),
    ({'shape': (1, 1, 64, 'w')}, 'both be fixed or both free'),
    ({'shape': (64, 96)}, r'one float32 input.*\[64, 96\]'),
    ({'outputs': {'output0': BOXES, 'scores': BOXES[:, 0]}}, "outputs 'boxes'.*output0"),
    ({'outputs': {'boxes': BOXES, 'scores': BOXES[:, 0]}}, r'boxes \(3, 4\), scores \(3,\)'),
    ({'outputs': {'boxes': BOXES.T.copy(), 'scores': BOXES[:, 0],
                  'labels': np.zeros(3, np.int64)}}, r'boxes \(4, 3\)'),
    ({'outputs': {'boxes': BOXES * np.nan, 'scores': BOXES[:, 0],
                  'labels': np.zeros(3, np.int64)}}, 'not finite')])
def test_unfit_files_are_refused_with_what_they_have(tmp_path, options, text):
    path = foreign(tmp_path / 'f.onnx', **options)
    with pytest.raises(UserError, match=text):
        OnnxDetector(path)


def test_an_integer_input_is_refused(tmp_path):
    outputs = {'boxes': BOXES, 'scores': BOXES[:, 0], 'labels': np.zeros(3, np.int64)}
    path = foreign(tmp_path / 'f.onnx', kind=TensorProto.UINT8, outputs=outputs)
    with pytest.raises(UserError, match='uint8'):
        OnnxDetector(path)


@pytest.mark.parametrize(('text', 'message'), [
    ('colour: 3', "unknown entry 'colour'"), ('[1, 2]', 'no mapping'), ('std: 0', 'positive'),
    ('mean: [1, 2]', r'mean: \[1, 2\]'), ('classes: [car]', 'must map labels'),
    ('scale: {', 'cannot read')])
def test_wrong_yaml_is_named(tmp_path, text, message):
    (tmp_path / 'f.yaml').write_text(text)
    with pytest.raises(UserError, match=message):
        OnnxDetector(foreign(tmp_path / 'f.onnx'))


def test_opens_either_kind(lively, exported, tmp_path):
    assert isinstance(open_detector(lively), TorchDetector)
    assert isinstance(open_detector(exported), OnnxDetector)
    with pytest.raises(UserError, match='no file'):
        open_detector(tmp_path / 'none.onnx')
    (tmp_path / 'bad.onnx').write_bytes(b'nothing')
    with pytest.raises(UserError, match='cannot be opened as ONNX'):
        open_detector(tmp_path / 'bad.onnx')
