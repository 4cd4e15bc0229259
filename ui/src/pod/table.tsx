import { count, day, money, moved } from '../format';
import { Detail } from './detail';
import type { License, View } from './model';
import type { Pod } from './pod';
import { amongAll, driftOf, notApprovable, waits } from './rows';
import { Becomes, Button, Text } from './show';

interface Props {
  pod: Pod;
  view: View;
  rows: License[];
  chosen: ReadonlySet<string>;
  onChoose: (ids: string[]) => void;
  open?: string;
  onOpen: (id?: string) => void;
  approves: boolean;
  onBegin: (links?: string[], sum?: string) => void;
  empty: string;
}

const words: Record<License['state'], [tone: string, word: string]> = {
  unlinked: ['warn', 'Not linked'],
  linked: ['ok', 'In sync'],
  changes: ['change', 'Change'],
  attention: ['bad', 'Needs attention'],
  doNotBill: ['none', 'Not billed'],
  gone: ['none', 'Gone'],
};

function statusOf(view: View, l: License): [tone: string, word: string] {
  if (l.plan?.postponed) return ['held', `Held until ${day(l.plan.postponed.until)}`];
  if (driftOf(view, l).length > 0) return ['bad', 'Changed by hand'];
  return words[l.state];
}

/** The licenses as rows; one may be open, and says everything of itself. */
export function Table(p: Props) {
  const selectable = p.approves && p.rows.some((l) => waits(l));
  const all = p.rows.filter(amongAll);
  const every = all.length > 0 && all.every((l) => p.chosen.has(l.id));
  if (p.rows.length === 0) return <p className="empty quiet">{p.empty}</p>;
  return (
    <table className="grid">
      <thead>
        <tr>
          <th scope="col" className="c-box">
            {selectable && all.length > 0 ? (
              <input
                type="checkbox"
                aria-label={`Select all ${all.length} shown`}
                checked={every}
                ref={(box) => {
                  if (box) box.indeterminate = !every && p.chosen.size > 0;
                }}
                onChange={() => p.onChoose(every ? [] : all.map((l) => l.id))}
              />
            ) : (
              <span className="unseen">Selection</span>
            )}
          </th>
          <th scope="col">License</th>
          <th scope="col" className="c-seats">
            Assigned
          </th>
          <th scope="col" className="c-billed">
            Billed as
          </th>
          <th scope="col" className="num">
            Quantity
          </th>
          <th scope="col" className="num">
            Per month
          </th>
          <th scope="col" className="c-status">
            Status
          </th>
        </tr>
      </thead>
      <tbody>
        {p.rows.map((l) => (
          <Row key={l.id} {...p} license={l} selectable={selectable} />
        ))}
      </tbody>
    </table>
  );
}

function Row(p: Props & { license: License; selectable: boolean }) {
  const l = p.license;
  const opened = p.open === l.id;
  const chosen = p.chosen.has(l.id);
  const [tone, word] = statusOf(p.view, l);
  const why = notApprovable(l);
  const detail = `detail-${l.id}`;
  const choose = () => {
    const next = new Set(p.chosen);
    if (!next.delete(l.id)) next.add(l.id);
    p.onChoose([...next]);
  };
  return (
    <>
      <tr className={`${chosen ? 'chosen' : ''} ${opened ? 'opened' : ''}`} data-license={l.partNumber}>
        <td className="c-box">
          {p.selectable && waits(l) && <input type="checkbox" aria-label={`Select ${l.name}`} checked={chosen && !why} disabled={Boolean(why)} title={why} onChange={choose} />}
        </td>
        <td className="c-name">
          <button type="button" className="disclose" aria-expanded={opened} aria-controls={opened ? detail : undefined} onClick={() => p.onOpen(opened ? undefined : l.id)}>
            <i className="chevron" aria-hidden="true" />
            <span>
              <span className="name">
                <i className={`dot only-narrow ${tone}`} title={word} />
                <Text>{l.name}</Text>
              </span>
              <span className="second only-narrow">
                <Billed license={l} word={word} /> <span className="unseen">{word}</span>
              </span>
            </span>
          </button>
        </td>
        <td className="c-seats">
          {count(l.assigned)} <span className="quiet">of {count(l.purchased)}</span>
          <progress aria-hidden="true" tabIndex={-1} value={Math.min(l.assigned, l.purchased)} max={Math.max(l.purchased, 1)} />
        </td>
        <td className="c-billed">
          {l.link?.profile ? (
            <>
              <Text>{l.link.profile.name}</Text>
              <span className="second">
                <Text>{l.link.agreement?.name}</Text> #{l.link.agreement?.id}
              </span>
            </>
          ) : l.link?.doNotBill ? (
            <span className="quiet clip" title={l.link.doNotBill}>
              <Text>{l.link.doNotBill}</Text>
            </span>
          ) : p.view.rights.link && l.state === 'unlinked' ? (
            <Button kind="link" onClick={() => p.onOpen(l.id)} aria-label={`Link ${l.name}`}>
              Link…
            </Button>
          ) : (
            <span className="quiet">—</span>
          )}
        </td>
        <td className="num">{waits(l) ? <Becomes from={l.plan.was} to={l.plan.seats.billed} /> : l.link?.profile ? l.billed : <span className="quiet">—</span>}</td>
        <td className="num">{waits(l) ? <b>{moved(l.plan.money.monthly, l.plan.money.currency)}</b> : <span className="quiet">{l.monthly ? money(l.monthly.amount, l.monthly.currency) : '—'}</span>}</td>
        <td className="c-status">
          <i className={`dot ${tone}`} />
          {word}
        </td>
      </tr>
      {opened && (
        <tr className="detail">
          <td colSpan={7} id={detail}>
            <Detail pod={p.pod} view={p.view} license={l} approves={p.approves} onBegin={p.onBegin} onClose={() => p.onOpen(undefined)} />
          </td>
        </tr>
      )}
    </>
  );
}

function Billed({ license: l, word }: { license: License; word: string }) {
  if (!l.link?.profile) return <>{l.link?.doNotBill ? <Text>{l.link.doNotBill}</Text> : word}</>;
  return (
    <>
      <Text>{l.link.profile.name}</Text> on <Text>{l.link.agreement?.name}</Text> #{l.link.agreement?.id}
    </>
  );
}
