/** Appends sent to one follower and not answered yet, bounded in number and bytes (thesis §10.2.1, pipelining). */

interface Sent {
  /** Index of the last entry of the message. */
  readonly through: number;
  readonly bytes: number;
}

export class InflightWindow {
  private sent: Sent[] = [];
  private bytes = 0;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  get count(): number {
    return this.sent.length;
  }

  /** One message may pass the byte limit, or an entry larger than it would never be sent. */
  get full(): boolean {
    return this.sent.length >= this.maxMessages || this.bytes >= this.maxBytes;
  }

  add(through: number, bytes: number): void {
    this.sent.push({ through, bytes });
    this.bytes += bytes;
  }

  /** An answer for `index` also answers everything sent before it. */
  freeThrough(index: number): void {
    while (this.sent[0] !== undefined && this.sent[0].through <= index) {
      this.bytes -= this.sent[0].bytes;
      this.sent.shift();
    }
  }

  clear(): void {
    this.sent = [];
    this.bytes = 0;
  }
}
