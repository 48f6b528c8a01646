"""What each of two processes of a training does: `test_parallel` starts them with torchrun."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent))

from tiny_training import PatchPairs, tiny_translator

from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.parallel import joined_process_group
from rgb2swir_ros.lab.training.preset import Stage, StudentTrainingConfig
from rgb2swir_ros.lab.training.stages import PairBatchSource
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.lab.training.trainer import RunSettings, Trainer
from rgb2swir_ros.lab.training.validation import PairValidator

SEED = 3  # with it one process drops the skips and the other does not
ONE_STEP = StudentTrainingConfig((Stage('pixels', 1, 2, 1e-3),), without_skips=.5)
WHOLE = StudentTrainingConfig((Stage('latent', 3, 2, 1e-3), Stage('pixels', 3, 2, 1e-3)),
                              without_skips=.5)


def main(folder: Path) -> None:
    """Train, and write this process's weights and the gradients of a single step."""
    torch.set_num_threads(1)
    pairs = PatchPairs(8, (64, 96))
    with joined_process_group() as group:
        for name, config in (('one', ONE_STEP), ('whole', WHOLE)):
            training = StudentTraining(tiny_translator(), config, group)
            batch_source = PairBatchSource(Stores(pairs, pairs), SEED, training.kind, group.rank)
            Trainer(training, batch_source, folder / name, RunSettings(SEED),
                    validator=PairValidator([pairs[0]]), log=print).run()
            named = list(training.translator.named_parameters())
            tensors = {k: v.detach() for k, v in named} | {
                f'grad.{k}': v.grad for k, v in named if v.grad is not None}
            save_file({k: v.contiguous() for k, v in tensors.items()},
                      folder / f'{name}{group.rank}.safetensors')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
