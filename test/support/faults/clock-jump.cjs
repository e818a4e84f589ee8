// Loaded into a process before anything else (`NODE_OPTIONS=--require`): its wall clock is wrong by as many milliseconds as stand
// in the file $CTX_TEST_CLOCK, looked at ten times a second. What is monotonic stays as it is.
'use strict';
const fs = require('node:fs');

const RealDate = Date;
let offset = 0;

function read() {
  try {
    offset = Number(fs.readFileSync(process.env.CTX_TEST_CLOCK, 'utf8'));
  } catch {
    offset = 0;
  }
}

class JumpingDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset);
    else super(...given);
  }

  static now() {
    return RealDate.now() + offset;
  }
}

if (process.env.CTX_TEST_CLOCK !== undefined) {
  globalThis.Date = JumpingDate;
  setInterval(read, 100).unref();
}
