package store

import (
	"context"
	"fmt"

	"trueup/server/billing"
)

const (
	sqlHabits query = `SELECT l.sku, coalesce(l.profile_id, 0) AS profile_id, l.do_not_bill, count(DISTINCT l.customer_id) AS customers
		FROM link l JOIN customer u ON u.workspace_id = l.workspace_id AND u.id = l.customer_id AND u.removed_at IS NULL
		WHERE l.workspace_id = $1 AND NOT l.removed
		GROUP BY l.sku, l.profile_id, l.do_not_bill
		ORDER BY l.sku, customers DESC, l.profile_id, l.do_not_bill`

	sqlAgreementsInUse query = `SELECT DISTINCT l.customer_id, l.agreement_id, l.agreement_name, l.profile_id
		FROM link l WHERE l.workspace_id = $1 AND NOT l.removed AND l.profile_id IS NOT NULL AND ($2::bigint = 0 OR l.customer_id = $2)
		ORDER BY l.customer_id, l.agreement_id, l.profile_id`
)

func suggestionSQL() []query { return []query{sqlHabits, sqlAgreementsInUse} }

// Habit is what the links of a SKU say, and of how many customers.
type Habit struct {
	SKU       billing.SKUID     `db:"sku"`
	Profile   billing.ProfileID `db:"profile_id"` // 0: not billed
	DoNotBill string            `db:"do_not_bill"`
	Customers int               `db:"customers"`
}

// Habits lists what the customers' links say of each SKU, the most usual first.
func (s *Scope) Habits(ctx context.Context) (map[billing.SKUID][]Habit, error) {
	var rows []Habit
	if err := s.all(ctx, &rows, sqlHabits, s.id); err != nil {
		return nil, fmt.Errorf("count the links of licenses: %w", err)
	}
	out := map[billing.SKUID][]Habit{}
	for _, r := range rows {
		out[r.SKU] = append(out[r.SKU], r)
	}
	return out, nil
}

// InUse is an agreement on which a customer's licenses are linked with a profile.
type InUse struct {
	Customer  billing.CustomerID  `db:"customer_id"`
	Agreement billing.AgreementID `db:"agreement_id"`
	Name      string              `db:"agreement_name"`
	Profile   billing.ProfileID   `db:"profile_id"`
}

// AgreementsInUse lists the agreements on which links stand, of a customer or of all (0).
func (s *Scope) AgreementsInUse(ctx context.Context, customer billing.CustomerID) ([]InUse, error) {
	var rows []InUse
	if err := s.all(ctx, &rows, sqlAgreementsInUse, s.id, customer); err != nil {
		return nil, fmt.Errorf("list the agreements of links: %w", err)
	}
	return rows, nil
}
