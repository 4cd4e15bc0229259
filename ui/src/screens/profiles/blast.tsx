import type { Schemas } from '../../api/client';
import { many, monthly } from '../../format';
import { Changes } from '../../parts/plan';
import { Text } from '../../parts/show';

/** The blast radius: links, customers and money, with the largest changes line by line. */
export function Blast({ effect: e }: { effect: Schemas['Effect'] }) {
  return (
    <section className="stack" aria-label="What it changes">
      <div className={e.unreadable > 0 ? 'note warn' : 'note info'} role="status">
        <div>
          Changes {many(e.links, 'link')} of {many(e.customers, 'customer')}, <b>{monthly(e.money)}</b> per month at the next sync.
          {e.held > 0 && ` ${many(e.held, 'change')} will wait for an approval.`}
          {e.unreadable > 0 && ` Of ${many(e.unreadable, 'customer')} it is not known: they could not be read now.`}
        </div>
      </div>
      {e.plans.length > 0 && (
        <details>
          <summary className="quiet">{e.plans.length === 1 ? 'The change' : `The ${e.plans.length} largest changes`}</summary>
          <div className="stack" style={{ paddingTop: 8 }}>
            {e.plans.map((plan) => (
              <div key={plan.link}>
                <h3>
                  <Text>{plan.customer.name}</Text>
                </h3>
                <Changes changes={plan.changes} total={plan.money} />
              </div>
            ))}
          </div>
        </details>
      )}
    </section>
  );
}
