import type { Schemas } from '../../api/client';
import { moved } from '../../format';
import { Changes, Holds } from '../../parts/plan';
import { Becomes, Text } from '../../parts/show';
import type { License } from './data';

/** What saving would lead to: quantity, money, lines, and the text of the invoice. */
export function Preview({ license, plan, of }: { license: License; plan?: Schemas['Plan']; of?: Schemas['LinkPreview'] }) {
  return (
    <section className="stack" aria-label="Preview">
      <div className="between">
        <h3>What changes</h3>
        {plan ? (
          <span>
            <Becomes from={plan.was} to={plan.seats.billed} />, <b>{moved(plan.money.monthly, plan.money.currency)}</b> per month
          </span>
        ) : (
          <span className="quiet">Nothing changes{license.link?.profile ? `, ${license.billed} stay billed` : ''}</span>
        )}
      </div>
      {plan && (
        <>
          <Holds holds={plan.holds} />
          <Changes changes={plan.changes} total={plan.money} />
        </>
      )}
      {of?.needsApproval && <p className="quiet">{of.mayApprove ? 'Saving approves it as it is shown.' : 'It waits for an approval after saving.'}</p>}
      {of && of.steps.length > 0 && (
        <details>
          <summary className="quiet">How it is counted</summary>
          <ol className="stack tight" style={{ paddingLeft: 20 }}>
            {of.steps.map((s, i) => (
              <li key={i}>
                <Text>{s.text}</Text>
              </li>
            ))}
          </ol>
        </details>
      )}
      {of?.checks
        .filter((c) => !c.ok)
        .map((c) => (
          <div key={c.code} className="note warn">
            <div>
              {c.text} {c.action}
            </div>
          </div>
        ))}
      {of && of.descriptions.length > 0 && (
        <details>
          <summary className="quiet">The text on the invoice</summary>
          <div className="stack tight" style={{ paddingTop: 8 }}>
            {of.descriptions.map((text, i) => (
              <div key={i} className="invoice" dir="auto">
                {text}
              </div>
            ))}
          </div>
        </details>
      )}
    </section>
  );
}
