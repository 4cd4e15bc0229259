import { api, got, type Schemas } from '../../api/client';

type Consent = Schemas['TenantConsent'];

const moves = (c: Consent) => c.state === 'waiting' || c.state === 'running';

/**
 * Has tenants consented one by one through Partner Center, and says how far it is. What is
 * done stays done, so that it goes on where it was cut.
 */
export async function consentAll(connection: number, tenants: string[], told: (done: number) => void): Promise<Consent[]> {
  const path = { connection };
  const ours = new Set(tenants);
  const of = (all: Schemas['TenantConsents']) => all.items.filter((c) => ours.has(c.tenant));
  let now = of(await got(api.POST('/connections/{connection}/consents', { params: { path }, body: { tenants } })));
  while (now.some(moves)) {
    told(now.filter((c) => !moves(c)).length);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    now = of(await got(api.GET('/connections/{connection}/consents', { params: { path } })));
  }
  told(now.length);
  return now;
}
