package connectwise

import (
	"context"
	"fmt"

	"trueup/server/billing"
)

// agreement is the wire form of an agreement, as far as it is used.
type agreement struct {
	ID               ident  `json:"id"`
	Name             text   `json:"name"`
	Type             ref    `json:"type"`
	Company          ref    `json:"company"`
	Parent           ref    `json:"parentAgreement"`
	Status           string `json:"agreementStatus"`
	CancelledFlag    flag   `json:"cancelledFlag"`
	DateCancelled    day    `json:"dateCancelled"`
	StartDate        day    `json:"startDate"`
	EndDate          day    `json:"endDate"`
	NoEndingDateFlag flag   `json:"noEndingDateFlag"`
	OneTimeFlag      flag   `json:"oneTimeFlag"`
	BillOneTimeFlag  flag   `json:"billOneTimeFlag"`
	BillingCycle     ref    `json:"billingCycle"`
	BillStartDate    day    `json:"billStartDate"`
	NextInvoiceDate  day    `json:"nextInvoiceDate"`
	ProrateFlag      flag   `json:"prorateFlag"`
	InvoiceProrated  flag   `json:"invoiceProratedAdditionsFlag"`
	Currency         ref    `json:"currency"`
	Info             info   `json:"_info"`

	fault error // a field that could not be read at all
}

func (w agreement) key() int { return int(w.ID) }

func (w agreement) spoiled(err error) agreement {
	w.fault = err
	return w
}

const (
	agreementsRoute = "/finance/agreements"
	// _info must be named, or it is left out.
	agreementFields = "id,name,type/id,type/name,company/id,parentAgreement/id,agreementStatus,cancelledFlag,dateCancelled," +
		"startDate,endDate,noEndingDateFlag,oneTimeFlag,billOneTimeFlag,billingCycle/id,billStartDate,nextInvoiceDate," +
		"prorateFlag,invoiceProratedAdditionsFlag,currency/currencyCode,_info"
)

// billing makes the noun. The billing cycle is only an id here; fill looks it up.
//
// A next invoice date in a form that nobody has described is no date, which holds the
// agreement; the other dates are documented as dates, and one that can't be read is a
// DecodeError. An agreement that is cancelled as of a day ends on that day at the
// latest; one cancelled without a day is cancelled now, whatever its status says.
func (w agreement) billing() (billing.Agreement, error) {
	if w.fault != nil {
		return billing.Agreement{}, w.fault
	}
	for _, f := range []struct {
		name    string
		missing bool
		odd     bool
	}{
		{"id", w.ID == 0, false}, {"type/id", w.Type.ID == 0, false}, {"company/id", w.Company.ID == 0, false},
		{"startDate", false, w.StartDate.odd}, {"endDate", false, w.EndDate.odd},
		{"billStartDate", false, w.BillStartDate.odd}, {"dateCancelled", false, w.DateCancelled.odd},
	} {
		if f.missing || f.odd {
			return billing.Agreement{}, fieldError(agreementsRoute, int(w.ID), f.name, f.missing)
		}
	}
	a := billing.Agreement{
		ID:             billing.AgreementID(w.ID),
		Name:           string(w.Name),
		Company:        billing.CompanyID(w.Company.ID),
		Type:           billing.AgreementTypeID(w.Type.ID),
		TypeName:       string(w.Type.Name),
		Parent:         billing.AgreementID(w.Parent.ID),
		Status:         billing.AgreementStatus(w.Status),
		OneTime:        w.OneTimeFlag.on() || w.BillOneTimeFlag.on(),
		Start:          w.StartDate.Day,
		End:            w.EndDate.or(billing.Forever),
		BillStart:      w.BillStartDate.Day,
		NextInvoice:    w.NextInvoiceDate.Day,
		CycleSet:       w.BillingCycle.ID != 0,
		Prorate:        w.ProrateFlag.Flag,
		ProratedAtOnce: w.InvoiceProrated.Flag,
		Currency:       string(w.Currency.CurrencyCode),
		UpdatedBy:      string(w.Info.UpdatedBy),
		UpdatedAt:      string(w.Info.LastUpdated),
	}
	if w.NoEndingDateFlag.on() {
		a.End = billing.Forever
	}
	if w.CancelledFlag.on() {
		if a.End = min(a.End, w.DateCancelled.or(billing.Forever)); w.DateCancelled.IsZero() {
			a.Status = billing.AgreementCancelled
		}
	}
	return a, nil
}

// fieldError is a DecodeError for a field that is missing, or there and no date.
func fieldError(route string, id int, field string, missing bool) error {
	e := &DecodeError{Route: route, ID: id, Field: field, Err: errMissing}
	if !missing {
		e.Err = errNoDate
	}
	return e
}

// Unreadable is the status of an agreement of a list in which a field can't be read.
// Like every status that isn't Active it holds the agreement's changes.
const Unreadable billing.AgreementStatus = "Unreadable"

// unreadable is what may be said of an agreement with a field that can't be read.
func (w agreement) unreadable() billing.Agreement {
	return billing.Agreement{
		ID:       billing.AgreementID(w.ID),
		Name:     string(w.Name),
		Company:  billing.CompanyID(w.Company.ID),
		Type:     billing.AgreementTypeID(w.Type.ID),
		TypeName: string(w.Type.Name),
		Parent:   billing.AgreementID(w.Parent.ID),
		Status:   Unreadable,
		End:      billing.Forever,
	}
}

// fill makes the noun and looks up its billing cycle.
func (c *Client) fill(ctx context.Context, w agreement) (billing.Agreement, error) {
	a, err := w.billing()
	if err != nil || !a.CycleSet {
		return a, err
	}
	a.Cycle, err = c.cycle(ctx, int(w.BillingCycle.ID))
	return a, err
}

// AgreementQuery narrows a list of agreements; the zero value is all of them. Lists
// that are given narrow together.
type AgreementQuery struct {
	IDs       []billing.AgreementID
	Types     []billing.AgreementTypeID
	Companies []billing.CompanyID
	// Around are agreements with their children; it isn't given together with IDs.
	Around []billing.AgreementID
	// Active leaves out those whose status isn't Active.
	Active bool
}

// Agreements hands each agreement of the query to the callback, once. An error of the
// callback ends the list.
//
// One odd record must not stop all customers: an agreement with a field that can't be
// read comes with the status Unreadable, also when only active ones are asked for. A
// read of it alone, by Agreement, says what is wrong with it.
//
// Vendor page: GET /finance/agreements.
func (c *Client) Agreements(ctx context.Context, q AgreementQuery, each func(billing.Agreement) error) error {
	r := rows{route: agreementsRoute, fields: agreementFields}
	for _, r.conditions = range q.conditions(c, r) {
		err := list(ctx, c, r, func(w agreement) error {
			if _, err := w.billing(); err != nil {
				c.log.WarnContext(ctx, "agreement can't be read", "error", err)
				return each(w.unreadable())
			}
			a, err := c.fill(ctx, w)
			if err != nil {
				return err
			}
			if q.Active && a.Status != billing.AgreementActive {
				return nil
			}
			return each(a)
		})
		if err != nil {
			return fmt.Errorf("list agreements: %w", err)
		}
	}
	return nil
}

// conditions are one or more parts of the query, each short enough for an address.
// The longest list is cut, the others stand in each part.
func (q AgreementQuery) conditions(c *Client, r rows) []string {
	var active string
	if q.Active {
		active = `agreementStatus="Active"`
	}
	types, ids, companies := allAmong("type/id", q.Types), allAmong("id", q.IDs), allAmong("company/id", q.Companies)
	switch {
	case len(q.Around) > 0:
		condition := func(part []billing.AgreementID) string {
			return and(active, types, companies, "("+among("id", part)+" or "+among("parentAgreement/id", part)+")")
		}
		return conditionsOf(chunks(c, r, q.Around, condition), condition)
	case len(q.IDs) > 0 && len(q.IDs) >= len(q.Companies):
		return cut(c, r, q.IDs, "id", and(active, types, companies))
	case len(q.Companies) > 0:
		return cut(c, r, q.Companies, "company/id", and(active, types, ids))
	case len(q.Types) > 0:
		return cut(c, r, q.Types, "type/id", active)
	}
	return []string{active}
}

func allAmong[ID ~int](field string, ids []ID) string {
	if len(ids) == 0 {
		return ""
	}
	return among(field, ids)
}

// cut makes one condition for each part of a list of ids.
func cut[ID ~int](c *Client, r rows, ids []ID, field, others string) []string {
	condition := func(part []ID) string { return and(others, among(field, part)) }
	return conditionsOf(chunks(c, r, ids, condition), condition)
}

// AgreementList is Agreements as a slice.
func (c *Client) AgreementList(ctx context.Context, q AgreementQuery) ([]billing.Agreement, error) {
	var all []billing.Agreement
	err := c.Agreements(ctx, q, func(a billing.Agreement) error {
		all = append(all, a)
		return nil
	})
	return all, err
}

// Agreement reads one agreement. One that isn't there comes back with Deleted set and
// nothing else.
//
// Vendor page: GET /finance/agreements/{id}.
func (c *Client) Agreement(ctx context.Context, id billing.AgreementID) (billing.Agreement, error) {
	q := get(agreementsRoute+"/{id}", int(id))
	q.query = query{"fields": agreementFields}.encode()
	var w agreement
	if err := c.do(ctx, q, &w); IsNotFound(err) {
		return billing.Agreement{ID: id, Deleted: true}, nil
	} else if err != nil {
		return billing.Agreement{}, fmt.Errorf("read agreement %d: %w", id, err)
	}
	a, err := c.fill(ctx, w)
	if err != nil {
		return billing.Agreement{}, fmt.Errorf("read agreement %d: %w", id, err)
	}
	return a, nil
}
