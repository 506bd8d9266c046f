"""The forward pass in OpenVINO, in an environment of its own: nothing of ours is imported here.

    python benchmarks/engine.py MODEL BATCH EXPECTED PASSES THREADS

MODEL is a TensorFlow SavedModel, BATCH and EXPECTED are .npy. Prints JSON: seconds and processor seconds of so many
passes in float32, and the largest difference from EXPECTED.
"""

import json
import resource
import sys
import time

import numpy as np
import openvino


def main(model: str, batch: str, expected: str, passes: int, threads: int) -> None:
    inputs, wanted = np.load(batch), np.load(expected)
    network = openvino.convert_model(model, input=list(inputs.shape))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",  # one stream over all threads; THROUGHPUT was slower or equal
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = openvino.Core().compile_model(network, "CPU", settings)
    difference = float(np.abs(compiled(inputs)[0] - wanted).max())
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(passes):
        compiled(inputs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "difference": difference}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
