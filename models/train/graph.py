"""Small ONNX graphs written node by node, and a trained scikit-learn MLP at their end. Used by the training scripts."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# What onnxruntime of the last years reads.
IR_VERSION = 8


class Graph:
    """Nodes and constants in the order in which they are added; every method returns the name of what it made."""

    def __init__(self, name, input_name, shape):
        self.name = name
        self.inputs = [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, shape)]
        self.nodes = []
        self.constants = []
        self.made = 0

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"n{self.made + i}" for i in range(outputs)]
        self.made += outputs
        given = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, given, names, **attributes))
        return names[0] if outputs == 1 else names

    def sum(self, x, axes):
        return self.op("ReduceSum", x, self.constant(axes, np.int64), keepdims=1)

    def max(self, x, axes):
        return self.op("ReduceMax", x, axes=axes, keepdims=1)

    def slice(self, x, starts, ends, axes):
        bounds = [self.constant(v, np.int64) for v in (starts, ends, axes)]
        return self.op("Slice", x, *bounds)

    def reshape(self, x, shape):
        return self.op("Reshape", x, self.constant(shape, np.int64))

    def truth(self, x):
        """A condition as 0 and 1."""
        return self.op("Cast", x, to=TensorProto.FLOAT)

    def model(self, output, name, width):
        """The model whose output tensor `name` is [N, width]."""
        nodes = [*self.nodes, helper.make_node("Identity", [output], [name])]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])]
        graph = helper.make_graph(nodes, self.name, self.inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model

    def mlp(self, x, scaler, mlp):
        """StandardScaler and MLPClassifier (relu): probabilities, [N, 1] for two classes, else [N, classes]."""
        x = self.op("Mul", self.op("Sub", x, scaler.mean_), 1 / scaler.scale_)
        # An outlier must not carry the network to where it was never trained.
        x = self.op("Clip", x, self.constant(-8.0), self.constant(8.0))
        last = len(mlp.coefs_) - 1
        for i, (weights, bias) in enumerate(zip(mlp.coefs_, mlp.intercepts_)):
            x = self.op("Add", self.op("MatMul", x, weights), bias)
            x = self.op("Relu", x) if i < last else x
        return self.op("Sigmoid", x) if mlp.out_activation_ == "logistic" else self.op("Softmax", x, axis=-1)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model, x):
    made = session(model)
    return made.run(None, {made.get_inputs()[0].name: x})[0]


def write(folder, model, manifest):
    """model.onnx and manifest.json with the file's checksum."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    whole = {**manifest, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(whole, indent=2) + "\n")
    print(f"{folder.name}: {len(content)} bytes")


def rounded(value):
    return round(float(value), 4)
