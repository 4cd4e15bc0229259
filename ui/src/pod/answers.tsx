import { day, money, quantity } from '../format';
import type { Drift, License, Schemas, View } from './model';
import type { Pod } from './pod';
import { driftOf } from './rows';
import { Button, FaultNote, Note, Text, useDo } from './show';

type Kind = Schemas['AnswerKind'];

// What wants more than a click is answered in the form of the link.
const inForm: Kind[] = ['adopt', 'replace', 'alongside'];
const words: Partial<Record<Kind, string>> = {
  driftAdopt: 'Keep it as it was changed',
  driftRevert: 'Set it back',
  driftDetach: 'Leave the line alone from now on',
  invoiceComesAgain: 'The invoice is made again',
  invoicesStayDeleted: 'The invoice stays deleted',
  billTrials: 'Bill trials',
  dontBillTrials: 'Do not bill trials',
  subscriptionEnded: 'The subscription has ended',
};
const drifts: { answer: NonNullable<Drift['answer']>; kind: Kind }[] = [
  { answer: 'adopt', kind: 'driftAdopt' },
  { answer: 'revert', kind: 'driftRevert' },
  { answer: 'detach', kind: 'driftDetach' },
];

/** What somebody changed in ConnectWise, and what the holds of a plan ask: with the answers they take. */
export function Answers({ pod, view, license: l, onBegin, onLink }: { pod: Pod; view: View; license: License; onBegin: () => void; onLink: () => void }) {
  const { busy, fault, run } = useDo();
  const drift = driftOf(view, l);
  const asked = [...new Set(l.plan?.holds.flatMap((h) => h.answers) ?? [])];
  const takes = asked.filter((k) => words[k] && !(drift.length && k.startsWith('drift')));
  const mayAnswer = view.rights.approve;
  const say = (path: string, sent: object) =>
    void run(async () => {
      await pod.ask('POST', path, sent);
      onBegin();
    });
  return (
    <>
      {drift.map((d) => (
        <Note key={d.addition} kind="warn">
          <Changed drift={d} currency={l.monthly?.currency ?? l.plan?.money.currency ?? ''} />
          {mayAnswer && (
            <div className="row wrap">
              {drifts.map(({ answer, kind }) => (
                <Button key={kind} disabled={busy} onClick={() => say('/drift/answers', { items: [{ link: d.link, addition: d.addition, answer }] })}>
                  {words[kind]}
                </Button>
              ))}
            </div>
          )}
        </Note>
      ))}
      {mayAnswer && l.plan && takes.length > 0 && (
        <div className="row wrap">
          {takes.map((kind) => (
            <Button key={kind} disabled={busy} onClick={() => say(`/links/${l.plan?.link}/answer`, { kind, fingerprint: l.plan?.fingerprint })}>
              {words[kind]}
            </Button>
          ))}
        </div>
      )}
      {view.rights.link && asked.some((k) => inForm.includes(k)) && (
        <div>
          <Button onClick={onLink}>Say what the line is…</Button>
        </div>
      )}
      <FaultNote fault={fault} />
    </>
  );
}

/** Who changed a line, when, and what it was and is. */
function Changed({ drift: d, currency }: { drift: Drift; currency: string }) {
  const line = (a: Schemas['Addition']) => `${quantity(a.quantity)}${a.unitPrice ? ` × ${money(a.unitPrice, currency)}` : ''} from ${day(a.effective)}${a.cancelled ? ` through ${day(a.cancelled)}` : ''}`;
  return (
    <p>
      {d.by ? <Text>{d.by}</Text> : 'Somebody'} {d.stands ? 'changed' : 'deleted'} addition #{d.addition} in ConnectWise{d.at && ` (${d.at.slice(0, 16).replace('T', ' ')})`}.{' '}
      {d.left && `Trueup left it at ${line(d.left)}`}
      {d.stands ? `; it is ${line(d.stands)} now.` : '.'}
    </p>
  );
}
