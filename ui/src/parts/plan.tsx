import type { ReactNode } from 'react';
import type { Schemas } from '../api/client';
import { day, money, moved, quantity } from '../format';
import { Outward, Text } from './show';

type Plan = Schemas['Plan'];
type Change = Schemas['Change'];

const roles: Record<Schemas['AdditionRole'], string> = {
  standing: 'Standing line',
  pending: 'Line from the next period',
  dated: 'Line of some days',
  other: 'Line',
};
const actions: Record<Schemas['Action'], string> = { keep: 'stays', create: 'is added', update: 'changes', cancel: 'ends', none: 'stays' };

function Line({ change: c, approver }: { change: Change; approver?: ReactNode }) {
  const line = c.after ?? c.before;
  const price = line?.unitPrice;
  return (
    <tr>
      <td>
        <Outward to={line?.url}>
          {roles[line?.role ?? 'other']}
          {c.additionId ? ` #${c.additionId}` : ''}
        </Outward>{' '}
        {c.action === 'update' && c.before?.quantity === c.after?.quantity ? 'changes' : actions[c.action]}
        {line && <span className="quiet">, from {day(line.effective)}</span>}
        {c.after?.cancelled && <span className="quiet"> through {day(c.after.cancelled)}</span>}
        <div className="small quiet">
          <Text>{c.reason}</Text>
        </div>
        {c.error && (
          <div className="small" style={{ color: 'var(--bad)' }}>
            <Text>{c.error}</Text>
          </div>
        )}
        {approver && <div className="small quiet">{approver}</div>}
      </td>
      <td className="num">
        {c.before && c.after && c.before.quantity !== c.after.quantity && <span className="quiet">{quantity(c.before.quantity)} → </span>}
        {line && (c.action === 'cancel' && !c.after ? quantity(line.quantity) : quantity((c.after ?? line).quantity))}
        {price && <span className="quiet"> × {money(price, c.money.currency)}</span>}
      </td>
      <td className="num">{moved(c.money.monthly, c.money.currency)}</td>
      <td className="num">{moved(c.money.nextInvoice, c.money.currency)}</td>
    </tr>
  );
}

/** Changes of additions with their money: the ledger that explains itself. */
export function Changes({ changes, total, approver }: { changes: Change[]; total?: Schemas['Money']; approver?: (c: Change) => ReactNode }) {
  const told = changes.filter((c) => c.action !== 'keep' && c.action !== 'none');
  if (told.length === 0) return <p className="quiet">No line changes.</p>;
  return (
    <table className="lines">
      <thead>
        <tr>
          <th scope="col">Line</th>
          <th scope="col" className="num">
            Quantity
          </th>
          <th scope="col" className="num">
            Per month
          </th>
          <th scope="col" className="num">
            Next invoice
          </th>
        </tr>
      </thead>
      <tbody>
        {told.map((c, i) => (
          <Line key={c.id ?? i} change={c} approver={approver?.(c)} />
        ))}
      </tbody>
      {total && told.length > 1 && (
        <tfoot>
          <tr>
            <td colSpan={2}>In total</td>
            <td className="num">{moved(total.monthly, total.currency)}</td>
            <td className="num">{moved(total.nextInvoice, total.currency)}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

/** Why a plan waits, and what a person can do. */
export function Holds({ holds }: { holds: Schemas['Hold'][] }) {
  return (
    <>
      {holds.map((h) => (
        <div key={h.code} className="note warn">
          <div>
            <Text>{h.text}</Text>
            {h.action && (
              <>
                {' '}
                <Text>{h.action}</Text>
              </>
            )}
          </div>
        </div>
      ))}
    </>
  );
}

export function Ledger({ plan }: { plan: Plan }) {
  return (
    <div className="stack">
      <Holds holds={plan.holds} />
      <Changes changes={plan.changes} total={plan.money} />
    </div>
  );
}
