// Sorted order along an axis: sort, topk, median, and what sorted rows serve for. Stable; NaN counts as larger than
// everything, and -0 as 0.
import { checkInteger, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { Storage } from "../memory/index.js";
import { aroundAxis, checkAxis, reducedShape, type Shape, sameShape } from "../shape.js";
import { composed, record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, ptr, Tensor, tensor } from "../tensor/index.js";
import { gatherAlong, scatterAlong } from "./along.js";
import { mul } from "./elementwise.js";
import { checkNotEmpty, splitOptions } from "./launch.js";
import { clone, reshape, slice } from "./layout.js";
import { ties, type ValuesAndIndices } from "./reduce.js";

