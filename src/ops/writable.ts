// What may be written in place.
import { show } from "../error.js";
import { isRecording } from "../tape/index.js";
import { checkTensor, type Tensor } from "../tensor/index.js";

/** Throws for tensors that the tape knows: an in-place write has no gradient here. */
export function checkWritable(op: string, x: Tensor): void {
  checkTensor(op, "x", x);
  if (x.requiresGrad && isRecording()) {
    throw new Error(
      `${op}: a tensor that requires a gradient cannot be written in place while ops are recorded: ${x.op} ${show(x.shape)}. ` +
        "Wrap the write in noGrad(), or compute a new tensor.",
    );
  }
}
