/** Every step as it is taken, newest first. It can be held still, for reading and for those it would distract. */
import { useEffect, useState } from "preact/hooks";
import type { LogLine } from "./page-state.ts";
import { clockTime, counted, inWords } from "./wording.ts";

const TROUBLE: ReadonlySet<string> = new Set(["disagreement", "abandoned"]);

export function StepLog({ log }: { readonly log: readonly LogLine[] }) {
  const [held, setHeld] = useState<readonly LogLine[]>();
  // History is not news: lines are announced only after the first ones stand.
  const [announcing, setAnnouncing] = useState(false);
  const began = log.length > 0;
  useEffect(() => {
    if (!began) return;
    const timer = window.setTimeout(() => setAnnouncing(true), 1_000);
    return () => window.clearTimeout(timer);
  }, [began]);
  const lines = held ?? log;
  const waiting = held ? log.findIndex(({ eventId }) => eventId === held[0]?.eventId) : 0;
  return (
    <section id="log" class="panel" aria-labelledby="log-title">
      <div class="panel-head">
        <h2 id="log-title">Steps</h2>
        {log.length > 0 && (
          <button
            type="button"
            class="copy"
            aria-pressed={held !== undefined}
            onClick={() => setHeld(held ? undefined : log)}
          >
            {held ? `Go on${waiting > 0 ? ` (${counted(waiting, "new step")})` : ""}` : "Hold"}
          </button>
        )}
      </div>
      {lines.length === 0 && <p class="empty">Steps of requests appear here as this node takes or sees them.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol class="log" aria-live={announcing && !held ? "polite" : "off"} aria-label="Steps, newest first" tabIndex={0}>
        {lines.map((line) => (
          <li key={line.eventId} class={TROUBLE.has(line.stage) ? "bad" : undefined}>
            <time dateTime={new Date(line.at_ms).toISOString()}>{clockTime(line.at_ms)}</time>
            <span class="log-id">{line.request_id}</span>
            <span class="log-text">
              <strong>{inWords(line.stage)}</strong> <span class="muted foreign">{line.detail}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
