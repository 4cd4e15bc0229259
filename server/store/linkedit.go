package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlLinkToEdit query = sqlLink + ` FOR UPDATE`

	sqlEditLink query = `UPDATE link
		SET subscription = $3, label = $4, removed = $5, do_not_bill = $6, profile_id = nullif($7::bigint, 0), agreement_id = $8,
			agreement_name = $9, options = $10, answer = $11, drift = $12, stay_deleted = $13, gone_since = $14, approved = $15,
			updated_at = now()
		WHERE workspace_id = $1 AND key = $2`

	sqlLinksByKey query = `SELECT ` + linkColumns + `, coalesce(b.name, '') AS profile_name,
			coalesce(b.product_id, 0) AS product_id, b.price IS NOT NULL AS custom_price,
			(SELECT '[' || string_agg(g.state::text, ',' ORDER BY g.position) || ']' FROM ledger g
				WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key) AS ledgers
		FROM link l LEFT JOIN billing_profile b ON b.workspace_id = l.workspace_id AND b.id = l.profile_id
		WHERE l.workspace_id = $1 AND l.key = ANY ($2::text[]) ORDER BY l.key`

	sqlGoneSince query = `UPDATE link SET gone_since = $4, updated_at = now()
		WHERE workspace_id = $1 AND customer_id = $2 AND tenant = $3 AND NOT removed`
)

func linkEditSQL() []query { return []query{sqlLinkToEdit, sqlEditLink, sqlLinksByKey, sqlGoneSince} }

// EditLink changes what a person decided for a license, which may be another subscription
// of the same SKU afterwards, and gives the link as it was. An error of change is returned
// and nothing is changed. Runs that finish wait for the transaction.
func (s *Scope) EditLink(ctx context.Context, key billing.LinkKey, change func(*Link) error) (was Link, err error) {
	err = s.within(ctx, func(s *Scope) error {
		var r linkRow
		if err := s.get(ctx, &r, sqlLinkToEdit, s.id, key); err != nil {
			return err
		}
		l, err := r.link()
		if err != nil {
			return err
		}
		was = Link{l, r.AgreementName}
		is := was
		if err := change(&is); err != nil {
			return err
		}
		decided, err := is.columns()
		if err != nil {
			return err
		}
		return s.touch(ctx, sqlEditLink, append([]any{s.id, key, is.License.Subscription}, decided...)...)
	})
	if err != nil {
		return was, fmt.Errorf("edit link %s: %w", key, err)
	}
	return was, nil
}

// LinkState is a link with all that is remembered of its lines.
type LinkState struct {
	Link

	Customer    billing.CustomerID
	ProfileName string
	Product     billing.ProductID // of the profile
	CustomPrice bool              // the profile has one
}

type linkStateRow struct {
	linkRow

	ProfileName string `db:"profile_name"`
	Product     int    `db:"product_id"`
	CustomPrice bool   `db:"custom_price"`
	Ledgers     []byte `db:"ledgers"`
}

// LinkStates reads links by their keys, removed ones too, with their ledgers. Keys that
// there aren't are left out.
func (s *Scope) LinkStates(ctx context.Context, keys ...billing.LinkKey) (map[billing.LinkKey]LinkState, error) {
	out := make(map[billing.LinkKey]LinkState, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	var rows []linkStateRow
	if err := s.all(ctx, &rows, sqlLinksByKey, s.id, pq.Array(keys)); err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	for _, r := range rows {
		l, err := r.link()
		if err != nil {
			return nil, err
		}
		if r.Ledgers != nil {
			if l.Ledgers, err = decodeLedgers(r.Ledgers); err != nil {
				return nil, fmt.Errorf("link %s: %w", l.Key, err)
			}
		}
		out[l.Key] = LinkState{
			Link: Link{l, r.AgreementName}, Customer: billing.CustomerID(r.Customer), ProfileName: r.ProfileName,
			Product: billing.ProductID(r.Product), CustomPrice: r.CustomPrice,
		}
	}
	return out, nil
}

// GoneSince keeps a person's word that a tenant of a customer is gone since a day, on all
// its links that stand, and says on how many; no day takes it back.
func (s *Scope) GoneSince(ctx context.Context, customer billing.CustomerID, tenant billing.TenantID, since billing.Day) (int, error) {
	n, err := s.exec(ctx, sqlGoneSince, s.id, customer, tenant, maybeDay(since))
	if err != nil {
		return 0, fmt.Errorf("say since when tenant %s is gone: %w", tenant, err)
	}
	return n, nil
}

// Current is the ledger of where the link stands or stood last; ok is false when nothing
// was ever written for it.
func (l LinkState) Current() (g billing.Ledger, ok bool) {
	at := len(l.Ledgers) - 1
	if open := slices.IndexFunc(l.Ledgers, func(g billing.Ledger) bool { return !g.Ended && !g.First.IsZero() }); open >= 0 {
		at = open
	}
	if at < 0 {
		return billing.Ledger{}, false
	}
	return l.Ledgers[at], true
}
