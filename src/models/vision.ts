// Small convolutional nets.
import { checkInteger, checkNumber, checkOptions } from "../error.js";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  init,
  initialize,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Tanh,
} from "../nn/index.js";
import { add, mean, pad, relu, slice } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";

/**
 * LeNet-5 as it is taught (LeCun et al. 1998, with full connections between the maps): two convolutions 5 by 5 with
 * pooling, then three linear layers. `[batch, 1, 28, 28] -> [batch, 10]`; 61,706 parameters.
 *
 * @param options `relu`: ReLU and largest elements instead of tanh and averages, default false.
 */
export class LeNet5 extends Sequential {
  static override typeName = "LeNet5";

  constructor(options: { readonly classes?: number; readonly relu?: boolean } = {}) {
    checkOptions("LeNet5", options, ["classes", "relu"]);
    const { classes = 10, relu: modern = false } = options;
    const activation = () => (modern ? new ReLU() : new Tanh());
    const pool = () => (modern ? new MaxPool2d(2) : new AvgPool2d(2));
    super(
      new Conv2d(1, 6, 5, { padding: 2 }),
      activation(),
      pool(),
      new Conv2d(6, 16, 5),
      activation(),
      pool(),
      new Flatten(),
      new Linear(400, 120),
      activation(),
      new Linear(120, 84),
      activation(),
      new Linear(84, classes),
    );
  }
}

/** Two convolutions, and what is added to their result. */
class BasicBlock extends Module {
  static override typeName = "BasicBlock";
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly stride: number;
  readonly shortcut: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, shortcut: boolean) {
    super();
    this.conv1 = new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = new Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outChannels);
    this.stride = stride;
    this.shortcut = shortcut;
  }

  forward(x: Tensor): Tensor {
    const y = this.bn2.forward(this.conv2.forward(relu(this.bn1.forward(this.conv1.forward(x)))));
    return relu(this.shortcut ? add(y, this.past(x)) : y);
  }

  /** The input, where the shape changes every other pixel of it between channels of zeros (He et al.'s option A). */
  private past(x: Tensor): Tensor {
    const extra = this.conv1.outChannels - this.conv1.inChannels;
    if (this.stride === 1 && extra === 0) return x;
    const every = [0, null, this.stride] as const;
    const half = extra >> 1;
    return pad(slice(x, [null, null, every, every]), [0, 0, 0, 0, half, extra - half]);
  }
}

/** Options of `ResNet` and `PlainNet`. */
export interface ResNetOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Channels of the input; default 3. */
  readonly inChannels?: number;
  /** Channels of the first stage, doubled twice; default 16. */
  readonly width?: number;
  /** Scales of the blocks' last normalizations begin at 0, so that every block begins as its shortcut; default false. */
  readonly zeroInit?: boolean;
}

abstract class CifarNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly linear: Linear;

  constructor(n: number, options: ResNetOptions, shortcut: boolean) {
    super();
    checkInteger(this.name, "n", n, 1);
    checkOptions(this.name, options, ["classes", "inChannels", "width", "zeroInit"]);
    const { classes = 10, inChannels = 3, width = 16, zeroInit = false } = options;
    const stage = (from: number, to: number) =>
      new Sequential(
        ...Array.from({ length: n }, (_, i) => {
          const first = i === 0;
          return new BasicBlock(first ? from : to, to, first && from !== to ? 2 : 1, shortcut);
        }),
      );
    this.conv1 = new Conv2d(inChannels, width, 3, { padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(width);
    this.layer1 = stage(width, width);
    this.layer2 = stage(width, 2 * width);
    this.layer3 = stage(2 * width, 4 * width);
    this.linear = new Linear(4 * width, classes);
    initialize(this, init.kaimingNormal);
    if (zeroInit) this.apply((module) => void (module instanceof BasicBlock && init.zeros(module.bn2.weight!)));
  }

  forward(x: Tensor): Tensor {
    const first = relu(this.bn1.forward(this.conv1.forward(x)));
    const maps = this.layer3.forward(this.layer2.forward(this.layer1.forward(first)));
    return this.linear.forward(mean(maps, [2, 3]));
  }
}

/**
 * The residual net for small images of He et al. (2016): 6n + 2 layers in three stages of n blocks, shortcuts without
 * parameters. `[batch, 3, 32, 32] -> [batch, classes]`; n = 3 is ResNet-20, 269,722 parameters.
 *
 * @example
 * import { randn } from "gradine";
 * import { ResNet } from "gradine/models";
 * console.log(new ResNet(1).forward(randn([2, 3, 32, 32])).shape); // [2, 10]
 */
export class ResNet extends CifarNet {
  static override typeName = "ResNet";
  constructor(n: number, options: ResNetOptions = {}) {
    super(n, options, true);
  }
}

/** The same layers as `ResNet` without shortcuts: what He et al. compare it with. */
export class PlainNet extends CifarNet {
  static override typeName = "PlainNet";
  constructor(n: number, options: ResNetOptions = {}) {
    super(n, options, false);
  }
}

/** Options of `MobileNet`. */
export interface MobileNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** Channels of the input; default 3. */
  readonly inChannels?: number;
  /** Factor of all channels; default 1. */
  readonly width?: number;
  /** For images of 32 by 32: the first convolution and the first two strides keep the size; default false. */
  readonly small?: boolean;
}

/** Channels and stride of each depthwise separable block. */
const mobileBlocks: readonly (readonly [number, number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/**
 * MobileNet (Howard et al. 2017): convolutions of each channel for itself, then of all channels 1 by 1.
 * `[batch, 3, 224, 224] -> [batch, classes]`; 4,231,976 parameters for 1,000 classes.
 */
export class MobileNet extends Module {
  static override typeName = "MobileNet";
  readonly features: Sequential;
  readonly classifier: Linear;

  constructor(options: MobileNetOptions = {}) {
    super();
    checkOptions("MobileNet", options, ["classes", "inChannels", "width", "small"]);
    const { classes = 1000, inChannels = 3, small = false } = options;
    const width = checkNumber("MobileNet", "width", options.width ?? 1, 0.01);
    const scaled = (channels: number) => Math.max(1, Math.round(channels * width));
    const unit = (from: number, to: number, kernel: number, stride: number, groups = 1): Module[] => [
      new Conv2d(from, to, kernel, { stride, padding: kernel >> 1, groups, bias: false }),
      new BatchNorm2d(to),
      new ReLU(),
    ];
    let channels = scaled(32);
    const layers = unit(inChannels, channels, 3, small ? 1 : 2);
    mobileBlocks.forEach(([to, stride], i) => {
      const step = small && i < 4 ? 1 : stride;
      layers.push(...unit(channels, channels, 3, step, channels), ...unit(channels, scaled(to), 1, 1));
      channels = scaled(to);
    });
    this.features = new Sequential(...layers);
    this.classifier = new Linear(channels, classes);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(mean(this.features.forward(x), [2, 3]));
  }
}
