import { useState } from 'react';
import { amounts, day, money, moved, quantity } from '../format';
import { Answers } from './answers';
import { Hold } from './bar';
import { LinkForm } from './linkform';
import type { Change, License, Plan, Schemas, View } from './model';
import type { Pod } from './pod';
import { ledgerOf, noteOf, since, told } from './rows';
import { Button, FaultNote, Note, Outward, Text, Time, today, useAsked, useDo } from './show';

type Panel = 'link' | 'why' | 'who' | 'hold' | 'text';

interface Props {
  pod: Pod;
  view: View;
  license: License;
  approves: boolean;
  onBegin: (links?: string[], sum?: string) => void;
  onClose: () => void;
}

/** Everything of one license: what changes and why, who holds it, and what can be done. */
export function Detail({ pod, view, license: l, approves, onBegin, onClose }: Props) {
  const [panel, setPanel] = useState<Panel | undefined>(!l.link && view.rights.link && l.state !== 'gone' ? 'link' : undefined);
  const { busy, fault, run } = useDo();
  const tab = (of: Panel, word: string) => (
    <Button kind="link" aria-expanded={panel === of} onClick={() => setPanel(panel === of ? undefined : of)}>
      {word}
    </Button>
  );
  const resume = () =>
    run(async () => {
      await pod.ask('POST', '/approvals/resume', { links: [l.plan?.link] });
      await pod.read();
    });
  return (
    <div className="inner">
      {l.plan?.postponed && (
        <p>
          <Text>{l.plan.postponed.by}</Text> put this aside until {day(l.plan.postponed.until)}: <Text>{l.plan.postponed.reason}</Text>
        </p>
      )}
      {l.plan?.holds.map((h) => (
        <Note key={h.code} kind="warn">
          <Text>{h.text}</Text> {h.action}
        </Note>
      ))}
      <Answers pod={pod} view={view} license={l} onBegin={onBegin} onLink={() => setPanel('link')} />
      <Facts license={l} />
      {l.plan && <Ledger license={l} plan={l.plan} />}
      <div className="row wrap">
        {view.rights.link && l.state !== 'gone' && tab('link', l.link ? 'Change link' : 'Link…')}
        {l.link?.profile && tab('why', `Why ${l.billed}?`)}
        {tab('who', 'Who holds it')}
        {l.link?.lines.some((a) => a.description) && tab('text', 'The invoice line')}
        {l.link?.lines[0]?.url && <Outward to={l.link.lines[0].url}>Open addition</Outward>}
        {approves && l.plan?.approvable && !l.plan.postponed && tab('hold', 'Hold this change')}
        {approves && l.plan?.postponed && (
          <Button kind="link" disabled={busy} onClick={() => void resume()}>
            Take it up again
          </Button>
        )}
        {l.unused > 0 && <CopyNote text={noteOf(l, view.record.company.name)} />}
      </div>
      <FaultNote fault={fault} />
      {panel === 'link' && (
        <LinkForm
          key={l.link?.version ?? 'new'}
          pod={pod}
          license={l}
          onClose={() => setPanel(undefined)}
          onSaved={() => {
            onClose();
            onBegin();
          }}
        />
      )}
      {panel === 'why' && <Why pod={pod} license={l} />}
      {panel === 'who' && <Who pod={pod} license={l} />}
      {panel === 'text' && <Invoice license={l} />}
      {panel === 'hold' && <Hold pod={pod} of={[l]} onDone={onClose} onCancel={() => setPanel(undefined)} />}
    </div>
  );
}

function Facts({ license: l }: { license: License }) {
  const o = l.link?.options;
  return (
    <p className="quiet">
      {l.link?.profile && `Counts ${o?.basis === 'assigned' ? 'assigned users' : 'purchased licenses'}${o?.included ? `, ${o.included} included` : ''}${o?.minimum ? `, at least ${o.minimum}` : ''}. `}
      {l.term && `${l.term} term. `}
      {l.renewal && `Renews on ${day(l.renewal.slice(0, 10))}. `}
      {l.unused > 0 && `${l.unused} unused${l.unusedMonthly ? `, ${amounts([l.unusedMonthly])} a month` : ''}. `}
      {l.grace > 0 && `${l.grace} in their grace period. `}
      <Text>{l.partNumber}</Text>
    </p>
  );
}

/** The change as a sum, and the lines that it is made of. */
function Ledger({ license, plan }: { license: License; plan: Plan }) {
  const sum = ledgerOf(license);
  const changes = plan.changes.filter(told);
  const n = sum?.more.n ?? 0;
  const from = since([license]);
  return (
    <>
      {sum && (
        <table className="ledger">
          <tbody>
            <Sum word="On the agreement now" line={sum.was} currency={sum.currency} />
            <Sum word={n > 0 ? `${n} more` : `${-n} fewer`} line={sum.more} currency={sum.currency} signed />
          </tbody>
          <tfoot>
            <Sum word={from ? `From ${from}` : 'Then'} line={sum.will} currency={sum.currency} />
          </tfoot>
        </table>
      )}
      {changes.length > 0 && <Lines changes={changes} currency={plan.money.currency} nextInvoice={plan.money.nextInvoice} />}
      {plan.approveBy && <p>Approve it by {day(plan.approveBy)}, or money is lost.</p>}
    </>
  );
}

function Sum({ word, line, currency, signed }: { word: string; line: { n: number; price: string; sum: string }; currency: string; signed?: boolean }) {
  return (
    <tr>
      <th scope="row">{word}</th>
      <td className="num">
        {signed && line.n > 0 ? '+' : ''}
        {String(line.n).replace('-', '−')} × {money(line.price, currency)}
      </td>
      <td className="num">{signed ? moved(line.sum, currency) : money(line.sum, currency)}</td>
    </tr>
  );
}

const acts: Record<Change['action'], string> = { keep: 'stays', none: 'stays', create: 'New line', update: 'Line changes', cancel: 'Line ends' };

export function Lines({ changes, currency, nextInvoice }: { changes: Change[]; currency?: string; nextInvoice?: string }) {
  return (
    <table className="lines">
      <thead className="unseen">
        <tr>
          <th scope="col">Line</th>
          <th scope="col">Quantity</th>
          <th scope="col">Per month</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((c, i) => {
          const line = c.after ?? c.before;
          return (
            <tr key={c.id ?? i}>
              <td>
                <Outward to={line?.url}>
                  {acts[c.action]}
                  {c.additionId ? ` #${c.additionId}` : ''}
                </Outward>
                <span className="quiet">
                  {line && ` from ${day(line.effective)}`}
                  {c.after?.cancelled && ` through ${day(c.after.cancelled)}`}
                </span>
                {c.license && <span className="unseen">{c.license}</span>}
                <span className="second">
                  <Text>{c.error ?? c.reason}</Text>
                </span>
              </td>
              <td className="num">
                {c.before && c.after && c.before.quantity !== c.after.quantity && <span className="quiet">{quantity(c.before.quantity)} → </span>}
                {line && quantity(line.quantity)}
                {line?.unitPrice && <span className="quiet"> × {money(line.unitPrice, c.money.currency)}</span>}
              </td>
              <td className="num">{moved(c.money.monthly, c.money.currency)}</td>
            </tr>
          );
        })}
      </tbody>
      {nextInvoice && currency && moved(nextInvoice, currency) !== '—' && (
        <tfoot>
          <tr>
            <th scope="row" colSpan={2}>
              On the next invoice
            </th>
            <td className="num">{moved(nextInvoice, currency)}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

function useDay() {
  const [on, setOn] = useState(today());
  return [on, <label key="day">On <input type="date" value={on} onChange={(e) => e.currentTarget.value && setOn(e.currentTarget.value)} /></label>] as const;
}

/** "Why 47?": the steps from what Microsoft answered to the quantity, on any day; and how it went over a year. */
function Why({ pod, license: l }: { pod: Pod; license: License }) {
  const [on, field] = useDay();
  const { data: e, fault } = useAsked<Schemas['Explanation']>(pod, `/links/${l.link?.key}/explanation?day=${on}`);
  const { data: months } = useAsked<Schemas['Trends']>(pod, `/licenses/${l.id}/trends?months=12`);
  return (
    <section className="panel" aria-label="Why">
      {field}
      <FaultNote fault={fault} />
      {e && (
        <>
          <h2>
            {e.seats} billed on {day(e.day)}
          </h2>
          <ol>
            {e.steps.map((s, i) => (
              <li key={i}>
                <Text>{s.text}</Text>
              </li>
            ))}
          </ol>
          {e.readAt && (
            <p className="quiet">
              Read from Microsoft <Time at={e.readAt} />.
            </p>
          )}
        </>
      )}
      {months && <Spark points={months.points} />}
    </section>
  );
}

/** Seats billed by month, in steps: licenses change at once, not by and by. */
function Spark({ points }: { points: Schemas['TrendPoint'][] }) {
  if (points.length < 2) return null;
  const top = Math.max(...points.map((p) => p.billedSeats), 1);
  const x = 100 / points.length;
  const d = points.map((p, i) => `${i ? 'V' : 'M0 '}${30 - (p.billedSeats / top) * 28}H${(i + 1) * x}`).join('');
  return (
    <figure>
      <svg viewBox="0 0 100 31" preserveAspectRatio="none" role="img" aria-label={`Billed by month: ${points.map((p) => `${p.month}: ${p.billedSeats}`).join(', ')}`}>
        <path d={d} />
      </svg>
      <figcaption className="quiet">
        Billed since {points[0]?.month}: {points.at(0)?.billedSeats} to {points.at(-1)?.billedSeats}
      </figcaption>
    </figure>
  );
}

/** "Who held it on 3 March". */
function Who({ pod, license: l }: { pod: Pod; license: License }) {
  const [on, field] = useDay();
  const { data: h, fault } = useAsked<Schemas['Holders']>(pod, `/licenses/${l.id}/holders?day=${on}`);
  return (
    <section className="panel" aria-label="Who holds it">
      {field}
      <FaultNote fault={fault} />
      {h && !h.known && <p>Trueup had not read this tenant yet on that day.</p>}
      {h?.known && (
        <>
          <p>
            {h.holders.length} held it on {day(h.day)}.
          </p>
          <ul className="chips">
            {h.holders.map((u) => (
              <li key={u.id} title={`${u.upn}${u.from ? `, since ${day(u.from)}` : ''}`}>
                <Text>{u.name}</Text>
                {!u.enabled && <span className="quiet"> blocked</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** The texts as they stand on the invoice, and as they will. */
function Invoice({ license: l }: { license: License }) {
  const will = l.plan?.changes.flatMap((c) => (c.after && told(c) ? [c.after.description] : [])) ?? [];
  const of = will.length ? will : (l.link?.lines.map((a) => a.description) ?? []);
  return (
    <section className="panel" aria-label="The invoice line">
      {of.map((text, i) => (
        <pre key={i} dir="auto">
          {text}
        </pre>
      ))}
    </section>
  );
}

const copied = (at: HTMLTextAreaElement | null) => {
  at?.select();
  if (at) document.execCommand('copy');
};

/** Puts a sentence for the ticket on the clipboard; frames may not write there but by a selection. */
function CopyNote({ text }: { text: string }) {
  const [shown, setShown] = useState(false);
  return shown ? (
    <textarea className="grow" readOnly aria-label="Note for the customer" value={text} rows={2} ref={copied} />
  ) : (
    <Button kind="link" onClick={() => setShown(true)}>
      Copy a note for the customer
    </Button>
  );
}
