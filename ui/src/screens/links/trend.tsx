import { useQuery } from '@tanstack/react-query';
import { api, got } from '../../api/client';
import { count, money } from '../../format';
import { Steps } from '../../parts/show';
import type { License } from './data';

/** Twelve months of a license: what was purchased and billed, and what that was worth. */
export function Trend({ license }: { license: License }) {
  const trend = useQuery({
    queryKey: ['license', license.id, 'trend'],
    queryFn: () => got(api.GET('/licenses/{license}/trends', { params: { path: { license: license.id } } })),
    staleTime: 300_000,
    retry: false,
  });
  const all = trend.data?.points ?? [];
  const begins = all.findIndex((p) => p.purchased > 0 || p.billedSeats > 0);
  const points = begins < 0 ? [] : all.slice(begins);
  if (points.length === 0) return null;
  const currency = points.findLast((p) => p.billed.length > 0)?.billed[0]?.currency ?? '';
  const amount = (of: { currency: string; amount: string }[]) => Number(of.find((a) => a.currency === currency)?.amount ?? 0);
  return (
    <div className="pictures">
      <div>
        <span className="small quiet">Purchased, and billed (dashed)</span>
        <Steps label="Purchased" points={points.map((p) => ({ month: p.month, y: p.purchased }))} value={count} beside={{ label: 'Billed', ys: points.map((p) => p.billedSeats) }} />
      </div>
      {currency && (
        <div>
          <span className="small quiet">Billed per month, and unused (dashed)</span>
          <Steps label="Billed per month" points={points.map((p) => ({ month: p.month, y: amount(p.billed) }))} value={(y) => money(String(y), currency)} beside={{ label: 'Unused', ys: points.map((p) => amount(p.unused)) }} />
        </div>
      )}
    </div>
  );
}
