/** Counters of a running hub in the Prometheus text format. Numbers only: no names, no content. */

export interface Gauges {
  readonly sessions: number;
  readonly listeners: number;
  readonly lagging_listeners: number;
  readonly unauthenticated_connections: number;
  readonly clients: number;
  readonly log_sequence: number;
  readonly write_fault: number;
  readonly memory_rss_bytes: number;
}

const HELP: Readonly<Record<string, string>> = {
  requests_total: 'Requests received.',
  errors_total: 'Requests answered with an error, by code.',
  feed_frames_total: 'Frames written to listeners.',
  auth_failures_total: 'Requests without a valid token.',
};

export class Metrics {
  private readonly counters = new Map<string, number>();

  /** @param label such as `code="invalid"` */
  count(name: keyof typeof HELP, label = ''): void {
    const key = label === '' ? `ctx_hub_${name}` : `ctx_hub_${name}{${label}}`;
    this.counters.set(key, (this.counters.get(key) ?? 0) + 1);
  }

  text(gauges: Gauges, feedFrames: number): string {
    const lines: string[] = [];
    const all = new Map([...this.counters, ['ctx_hub_feed_frames_total', feedFrames] as const]);
    for (const [name, help] of Object.entries(HELP)) {
      lines.push(`# HELP ctx_hub_${name} ${help}`, `# TYPE ctx_hub_${name} counter`);
      const own = [...all].filter(([key]) => key.replace(/\{.*/, '') === `ctx_hub_${name}`);
      lines.push(...(own.length === 0 ? [`ctx_hub_${name} 0`] : own.map(([key, value]) => `${key} ${value}`)));
    }
    for (const [name, value] of Object.entries(gauges)) {
      lines.push(`# TYPE ctx_hub_${name} gauge`, `ctx_hub_${name} ${String(value)}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
