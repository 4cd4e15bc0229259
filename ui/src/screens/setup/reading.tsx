import type { Progress } from '../../api/live';
import { count, many } from '../../format';
import { RunStatus, Text } from '../../parts/show';

const left = (seconds: number) => (seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`);

/** How far the work is: counts, time left, who is at it, and what failed as it comes. */
export function Reading({ progress: p, what }: { progress: Progress; what: string }) {
  const failed = p.recent.filter((r) => r.status === 'failed');
  return (
    <div className="stack">
      <div role="status">
        <b>
          {what}: {count(p.done)} of {many(p.of, 'customer')}
        </b>
        {p.secondsLeft !== undefined && <span className="quiet">, {left(p.secondsLeft)}</span>}
      </div>
      <progress className="wide" aria-label={what} value={p.done} max={Math.max(p.of, 1)} />
      <ul className="plainlist small quiet">
        {p.now.slice(0, 6).map((s) => (
          <li key={s.customer.id} className="clip">
            <Text>{s.customer.name}</Text>
          </li>
        ))}
      </ul>
      {failed.length > 0 && (
        <ul className="plainlist small">
          {failed.slice(0, 10).map((r) => (
            <li key={r.id}>
              <RunStatus status={r.status} /> <Text>{r.customer.name}</Text>
              {r.error && (
                <span className="quiet">
                  : <Text>{r.error.message}</Text> <Text>{r.error.action}</Text>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p className="small quiet">You can leave this page: it goes on by itself.</p>
    </div>
  );
}
