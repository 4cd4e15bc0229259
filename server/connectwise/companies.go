package connectwise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"trueup/server/billing"
)

// company is the wire form of a company, as far as it is used.
type company struct {
	ID          ident `json:"id"`
	Identifier  text  `json:"identifier"`
	Name        text  `json:"name"`
	DeletedFlag flag  `json:"deletedFlag"`
	Status      ref   `json:"status"`
	Website     text  `json:"website"`
}

func (w company) key() int { return int(w.ID) }

func (w company) billing() billing.Company {
	return billing.Company{
		ID:         billing.CompanyID(w.ID),
		Identifier: string(w.Identifier),
		Name:       string(w.Name),
		Deleted:    w.DeletedFlag.on(),
		Status:     string(w.Status.Name),
		Website:    string(w.Website),
	}
}

const (
	companiesRoute = "/company/companies"
	companyFields  = "id,identifier,name,deletedFlag,status/name,website"
)

// CompanyQuery narrows a list of companies; the zero value is all of them, the
// deleted ones too.
type CompanyQuery struct {
	IDs []billing.CompanyID
	// Identifiers are compared without regard to case.
	Identifiers []string
	// Name is a part of the name or the identifier, in any case.
	Name string
	// Present leaves out those in the recycle bin.
	Present bool
	// Most ends the list early; 0: all.
	Most int
}

// Companies hands each company of the query to the callback, once. An error of the
// callback ends the list.
//
// Vendor page: GET /company/companies.
func (c *Client) Companies(ctx context.Context, q CompanyQuery, each func(billing.Company) error) error {
	r := rows{route: companiesRoute, fields: companyFields}
	given := 0
	err := lookUp(c, r, q.IDs, q.Identifiers, q.conditions(), func(r rows) error {
		return list(ctx, c, r, func(w company) error {
			k := w.billing()
			if !q.wants(k) {
				return nil
			}
			if err := each(k); err != nil {
				return err
			}
			if given++; given == q.Most {
				return errEnough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("list companies: %w", err)
	}
	return nil
}

// CompanyList is Companies as a slice.
func (c *Client) CompanyList(ctx context.Context, q CompanyQuery) ([]billing.Company, error) {
	var all []billing.Company
	err := c.Companies(ctx, q, func(k billing.Company) error {
		all = append(all, k)
		return nil
	})
	return all, err
}

// Company reads one company. One that isn't there comes back with Deleted set and
// nothing else.
//
// Vendor page: GET /company/companies/{id}.
func (c *Client) Company(ctx context.Context, id billing.CompanyID) (billing.Company, error) {
	q := get(companiesRoute+"/{id}", int(id))
	q.query = query{"fields": companyFields}.encode()
	var w company
	if err := c.do(ctx, q, &w); IsNotFound(err) {
		return billing.Company{ID: id, Deleted: true}, nil
	} else if err != nil {
		return billing.Company{}, fmt.Errorf("read company %d: %w", id, err)
	}
	if w.ID == 0 {
		return billing.Company{}, &DecodeError{Route: q.route, ID: int(id), Field: "id", Err: errMissing}
	}
	return w.billing(), nil
}

// conditions narrow by name only, and not by a name that can't be quoted; wants sees
// to the rest. deletedFlag stays out: it may be null, and "=False" would drop that
// row.
func (q CompanyQuery) conditions() string {
	if !quotable(q.Name) {
		return ""
	}
	return `(name contains "` + q.Name + `" or identifier contains "` + q.Name + `")`
}

func (q CompanyQuery) wants(k billing.Company) bool {
	name := strings.ToLower(q.Name)
	return (len(q.Identifiers) == 0 || containsFold(q.Identifiers, k.Identifier)) &&
		(strings.Contains(strings.ToLower(k.Name), name) || strings.Contains(strings.ToLower(k.Identifier), name)) &&
		(!q.Present || !k.Deleted)
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// lookUp reads a list by ids, or by identifiers, or whole, in as many parts as the
// length of an address asks for. One identifier that can't be quoted makes it read
// the list whole: the caller compares.
func lookUp[ID ~int](c *Client, r rows, ids []ID, identifiers []string, conditions string, read func(rows) error) error {
	var parts []string
	switch {
	case len(ids) > 0 && len(identifiers) > 0:
		return errors.New("a list is asked for by ids or by identifiers, not by both")
	case len(ids) > 0:
		condition := func(part []ID) string { return and(conditions, among("id", part)) }
		parts = conditionsOf(chunks(c, r, ids, condition), condition)
	case len(identifiers) > 0 && allQuotable(identifiers):
		condition := func(part []string) string { return and(conditions, anyOf("identifier", part)) }
		parts = conditionsOf(chunks(c, r, identifiers, condition), condition)
	default:
		parts = []string{conditions}
	}
	for _, p := range parts {
		r.conditions = p
		if err := read(r); err != nil {
			return err
		}
	}
	return nil
}

func allQuotable(list []string) bool {
	for _, s := range list {
		if !quotable(s) {
			return false
		}
	}
	return true
}
