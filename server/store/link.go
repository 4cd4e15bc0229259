package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trueup/server/billing"
)

const linkColumns = `l.key, l.customer_id, l.tenant, l.sku, l.subscription, l.label, l.removed, l.do_not_bill,
	coalesce(l.profile_id, 0) AS profile_id, l.agreement_id, l.agreement_name, l.options, l.answer, l.drift,
	l.stay_deleted, l.gone_since, l.approved`

const (
	sqlLinks query = `SELECT ` + linkColumns + ` FROM link l WHERE l.workspace_id = $1 AND NOT l.removed
		ORDER BY l.customer_id, l.tenant, l.label, l.key`

	sqlLink query = `SELECT ` + linkColumns + ` FROM link l WHERE l.workspace_id = $1 AND l.key = $2`

	sqlSaveLink query = `INSERT INTO link (workspace_id, key, customer_id, tenant, sku, subscription, label, removed,
			do_not_bill, profile_id, agreement_id, agreement_name, options, answer, drift, stay_deleted, gone_since, approved)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10::bigint, 0), $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (workspace_id, customer_id, tenant, sku, subscription) DO UPDATE
		SET label = excluded.label, removed = excluded.removed, do_not_bill = excluded.do_not_bill,
			profile_id = excluded.profile_id, agreement_id = excluded.agreement_id, agreement_name = excluded.agreement_name,
			options = excluded.options, answer = excluded.answer, drift = excluded.drift, stay_deleted = excluded.stay_deleted,
			gone_since = excluded.gone_since, approved = excluded.approved, updated_at = now()
		RETURNING key`

	sqlRemoveLink query = `UPDATE link SET removed = true, updated_at = now() WHERE workspace_id = $1 AND key = $2 AND NOT removed`

	// sqlApprove approves for every link that the plan moves together.
	sqlApprove query = `UPDATE link l SET approved = $3, updated_at = now()
		FROM open_plan shown JOIN open_plan p
			ON p.workspace_id = shown.workspace_id AND p.customer_id = shown.customer_id AND p.fingerprint = shown.fingerprint
		WHERE shown.workspace_id = $1 AND shown.link_key = $2 AND shown.fingerprint = $3
			AND l.workspace_id = p.workspace_id AND l.key = p.link_key`

	sqlAnswerDrift query = `UPDATE link
		SET drift = coalesce(drift, '{}') || jsonb_build_object($3::text, $4::text), updated_at = now()
		WHERE workspace_id = $1 AND key = $2`
)

func linkSQL() []query {
	return []query{sqlLinks, sqlLink, sqlSaveLink, sqlRemoveLink, sqlApprove, sqlAnswerDrift}
}

// Link is a link with what a person called its agreement.
type Link struct {
	billing.Link

	AgreementName string
}

type linkRow struct {
	Key                 string     `db:"key"`
	Customer            int64      `db:"customer_id"`
	Tenant              string     `db:"tenant"`
	SKU                 string     `db:"sku"`
	Subscription        string     `db:"subscription"`
	Label               string     `db:"label"`
	Removed             bool       `db:"removed"`
	DoNotBill           string     `db:"do_not_bill"`
	Profile             int64      `db:"profile_id"`
	Agreement           int        `db:"agreement_id"`
	AgreementName       string     `db:"agreement_name"`
	Options             []byte     `db:"options"`
	Answer              []byte     `db:"answer"`
	Drift               []byte     `db:"drift"`
	InvoicesStayDeleted bool       `db:"stay_deleted"`
	GoneSince           *time.Time `db:"gone_since"`
	Approved            string     `db:"approved"`
}

func (r linkRow) link() (billing.Link, error) {
	l := billing.Link{
		Key: billing.LinkKey(r.Key), Label: r.Label, Removed: r.Removed, DoNotBill: r.DoNotBill,
		License: billing.LicenseRef{
			Tenant: billing.TenantID(r.Tenant), SKU: billing.SKUID(r.SKU), Subscription: billing.SubscriptionID(r.Subscription),
		},
		Profile: billing.ProfileID(r.Profile), Agreement: billing.AgreementID(r.Agreement),
		InvoicesStayDeleted: r.InvoicesStayDeleted, GoneSince: dayOf(r.GoneSince), Approved: r.Approved,
	}
	var errs [3]error
	l.Options, errs[0] = decodeOptions(r.Options)
	l.Answer, errs[1] = decodeAnswer(r.Answer)
	l.Drift, errs[2] = decodeDrift(r.Drift)
	if err := errors.Join(errs[:]...); err != nil {
		return l, fmt.Errorf("read link %s: %w", r.Key, err)
	}
	return l, nil
}

// dayOf is the Day of a date column, no day for null.
func dayOf(t *time.Time) billing.Day {
	if t == nil {
		return 0
	}
	return billing.DayOf(*t)
}

// maybeDay is null for no day.
func maybeDay(d billing.Day) any {
	if d.IsZero() {
		return nil
	}
	return d.String()
}

// Links lists the links that stand, by customer, without their ledgers; removed ones
// are left out.
func (s *Scope) Links(ctx context.Context) (map[billing.CustomerID][]Link, error) {
	var rows []linkRow
	if err := s.all(ctx, &rows, sqlLinks, s.id); err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	out := map[billing.CustomerID][]Link{}
	for _, r := range rows {
		l, err := r.link()
		if err != nil {
			return nil, err
		}
		id := billing.CustomerID(r.Customer)
		out[id] = append(out[id], Link{l, r.AgreementName})
	}
	return out, nil
}

// Link reads one link, removed or not, without its ledgers, and whose it is.
func (s *Scope) Link(ctx context.Context, key billing.LinkKey) (Link, billing.CustomerID, error) {
	var r linkRow
	if err := s.get(ctx, &r, sqlLink, s.id, key); err != nil {
		return Link{}, 0, fmt.Errorf("read link %s: %w", key, err)
	}
	l, err := r.link()
	return Link{l, r.AgreementName}, billing.CustomerID(r.Customer), err
}

// SaveLink makes or changes what a person decided for a license of a customer and
// returns the link's key. The license is the identity: a link that was removed is
// revived with its key and ledgers, whatever l.Key says; one that there never was gets
// l.Key, or a new key without one. Ledgers and Journaled are the runs' and stay as they
// are.
func (s *Scope) SaveLink(ctx context.Context, customer billing.CustomerID, l Link) (billing.LinkKey, error) {
	decided, err := l.columns()
	if err != nil {
		return "", err
	}
	key := l.Key
	if key == "" {
		key = newLinkKey()
	}
	args := append([]any{s.id, key, customer, l.License.Tenant, l.License.SKU, l.License.Subscription}, decided...)
	if err := s.get(ctx, &key, sqlSaveLink, args...); err != nil {
		return "", fmt.Errorf("save the link of %q: %w", l.Label, err)
	}
	return key, nil
}

// columns are what was decided, in the order of the table.
func (l Link) columns() ([]any, error) {
	options, err1 := encodeOptions(l.Options)
	answer, err2 := encodeAnswer(l.Answer)
	drift, err3 := encodeDrift(l.Drift)
	return []any{
		l.Label, l.Removed, l.DoNotBill, l.Profile, l.Agreement, l.AgreementName, options, answer, drift,
		l.InvoicesStayDeleted, maybeDay(l.GoneSince), l.Approved,
	}, errors.Join(err1, err2, err3)
}

// newLinkKey is 10 random characters of a-z and 2-7: 50 bits.
func newLinkKey() billing.LinkKey {
	return billing.LinkKey(strings.ToLower(rand.Text()[:10])) // rand.Text is base32
}

// RemoveLink removes a link; the next run ends its lines. Its key and ledgers stay.
func (s *Scope) RemoveLink(ctx context.Context, key billing.LinkKey) error {
	if err := s.touch(ctx, sqlRemoveLink, s.id, key); err != nil {
		return fmt.Errorf("remove link %s: %w", key, err)
	}
	return nil
}

// Approve approves exactly the plan that was shown, for all links that it moves. When
// the link's open plan isn't that one any more it is ErrStale and nothing is approved.
func (s *Scope) Approve(ctx context.Context, key billing.LinkKey, fingerprint string) error {
	err := s.touch(ctx, sqlApprove, s.id, key, fingerprint)
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return fmt.Errorf("approve the plan of link %s: %w", key, err)
	}
	return nil
}

// AnswerDrift records a person's answer for one addition of a link.
func (s *Scope) AnswerDrift(ctx context.Context, key billing.LinkKey, id billing.AdditionID, a billing.DriftAnswer) error {
	if err := known("drift answer", a, billing.DriftAdopt, billing.DriftRevert, billing.DriftDetach); err != nil {
		return err
	}
	if err := s.touch(ctx, sqlAnswerDrift, s.id, key, strconv.Itoa(int(id)), a); err != nil {
		return fmt.Errorf("answer for addition %d of link %s: %w", id, key, err)
	}
	return nil
}
