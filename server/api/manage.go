package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"trueup/server/billing"
)

// ManageBook looks things up in Manage, now.
type ManageBook interface {
	// Companies finds companies that aren't deleted, by a part of the name or identifier,
	// in the order of their ids after one, at most limit.
	Companies(ctx context.Context, w billing.WorkspaceID, text string, after billing.CompanyID, limit int) ([]billing.Company, error)
	// CustomersByCompany are the customers of the workspace.
	CustomersByCompany(ctx context.Context, w billing.WorkspaceID) (map[billing.CompanyID]billing.CustomerID, error)
	// Agreements are those of a company, with their parents' terms and what a person should
	// know of each.
	Agreements(ctx context.Context, w billing.WorkspaceID, company billing.CompanyID) ([]AgreementState, error)
	// Products finds catalog items by a part of the identifier or description, in the order
	// of their ids after one, at most limit.
	Products(ctx context.Context, w billing.WorkspaceID, text string, after billing.ProductID, limit int) ([]billing.Product, error)
	// AgreementTypes are all of them, with what the workspace says of each and an example.
	AgreementTypes(ctx context.Context, w billing.WorkspaceID) ([]AgreementTypeState, error)
	// ConfirmAgreementType keeps through when a type is invoiced, and who said so. Its
	// customers are synced next where that is another than before. ErrNotFound.
	ConfirmAgreementType(ctx context.Context, by billing.Actor, w billing.WorkspaceID, t billing.AgreementTypeID, arrears bool) (AgreementTypeState, error)
}

// AgreementState is an agreement of Manage with what it bills by.
type AgreementState struct {
	billing.Agreement

	Terms billing.Terms
	// Code is why it can't be billed by, "" when it can.
	Code billing.Code
	// Gives is the currency that amounts on it are in.
	Gives string
}

// AgreementTypeState is an agreement type, and through when its agreements are invoiced.
type AgreementTypeState struct {
	billing.AgreementType

	Arrears   bool
	Confirmed bool
	Active    int // agreements of it
	Example   *AgreementTypeCase
}

// AgreementTypeCase is what the setting means for one agreement: the last invoiced day
// with it and with the other one, beside what Manage's recap says.
type AgreementTypeCase struct {
	Agreement                     billing.Agreement
	NextInvoice, Through, Between billing.Day // Between is what it would be otherwise
	LastInvoice                   billing.Day
	LastNumber                    string
}

type manageScreen struct {
	book ManageBook
}

// usualLookUp is how many a look-up shows where nothing else is asked for.
const usualLookUp = 50

// FindCompanies finds companies of Manage.
func (s manageScreen) FindCompanies(ctx context.Context, r FindCompaniesRequestObject) (FindCompaniesResponseObject, error) {
	after, limit := 0, limitOf(r.Params.Limit, usualLookUp)
	if err := readCursor(r.Params.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := s.book.Companies(ctx, workspaceOf(ctx), strings.TrimSpace(r.Params.Q), billing.CompanyID(after), limit+1)
	if err != nil {
		return nil, err
	}
	known, err := s.book.CustomersByCompany(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	page := FindCompanies200JSONResponse{}
	if len(found) > limit {
		found = found[:limit]
		if page.Next, err = cursorOf(found[limit-1].ID); err != nil {
			return nil, err
		}
	}
	page.Items = each(found, func(c billing.Company) Company {
		return Company{ID: int(c.ID), Identifier: c.Identifier, Name: c.Name, Status: c.Status, Website: c.Website, Customer: int(known[c.ID])}
	})
	return page, nil
}

// FindAgreements lists the agreements of a company.
func (s manageScreen) FindAgreements(ctx context.Context, r FindAgreementsRequestObject) (FindAgreementsResponseObject, error) {
	if r.Params.Company == 0 {
		return nil, Faulty("company", "required", "It is needed: agreements are looked up for one company.")
	}
	all, err := s.book.Agreements(ctx, workspaceOf(ctx), billing.CompanyID(r.Params.Company))
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a AgreementState) bool {
		return r.Params.Type != 0 && int(a.Type) != r.Params.Type || r.Params.Active != nil && *r.Params.Active && !a.usable()
	})
	return FindAgreements200JSONResponse{Items: each(all, agreementStateOf)}, nil
}

// usable says that it can take lines of ours now.
func (a AgreementState) usable() bool {
	return a.Status == billing.AgreementActive && a.Code == "" && !a.OneTime
}

func agreementStateOf(a AgreementState) Agreement {
	out := Agreement{
		ID: int(a.ID), Name: a.Name, Company: int(a.Company), Type: int(a.Type), TypeName: a.TypeName, Status: string(a.Status),
		Active: a.Status == billing.AgreementActive, Start: dayOf(a.Start), End: dayOf(a.End), NextInvoice: dayOf(a.Terms.NextInvoice),
		CycleMonths: int(a.Terms.Cycle), Prorate: a.Terms.Prorate, Currency: a.Gives, Parent: int(a.Parent), Usable: a.usable(), Checks: list(a.checks()),
	}
	if a.Code == "" {
		out.InvoicedThrough = dayOf(a.Terms.Through())
	}
	return out
}

// checks are what a person should know of an agreement before linking to it.
func (a AgreementState) checks() []Check {
	var out []Check
	note := func(code, name, text, action string, needed bool) {
		out = append(out, Check{Code: code, Name: name, Text: text, Action: action, Needed: needed})
	}
	if a.Status != billing.AgreementActive {
		note("agreement_not_active", "Active", "The agreement is "+strings.ToLower(cmp.Or(string(a.Status), "of no known status"))+".", "Link to one that is active.", true)
	}
	if a.OneTime {
		note("agreement_one_time", "Billed by cycle", "The agreement is billed once, not by cycle.", "Link to one that is billed by a cycle.", true)
	}
	if a.Code != "" {
		note(string(a.Code), "Billing", billing.Sentence(billing.Reason{Code: string(a.Code), Parts: map[string]string{"agreement": a.Name}}), billing.ActionFor(a.Code), true)
		return out
	}
	if !a.Terms.Prorate {
		note("prorate_off", "Proration", "Proration is off on this agreement: increases bill from the next period.", "Turn proration on in ConnectWise, if they shall bill from their day.", false)
	}
	if a.Terms.End < billing.Forever {
		note("agreement_ends", "End", "The agreement ends on "+a.Terms.End.String()+".", "Link to its successor in time.", false)
	}
	return out
}

// FindProducts finds products of Manage.
func (s manageScreen) FindProducts(ctx context.Context, r FindProductsRequestObject) (FindProductsResponseObject, error) {
	after, limit := 0, limitOf(r.Params.Limit, usualLookUp)
	if err := readCursor(r.Params.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := s.book.Products(ctx, workspaceOf(ctx), strings.TrimSpace(r.Params.Q), billing.ProductID(after), limit+1)
	if err != nil {
		return nil, err
	}
	page := FindProducts200JSONResponse{}
	if len(found) > limit {
		found = found[:limit]
		if page.Next, err = cursorOf(found[limit-1].ID); err != nil {
			return nil, err
		}
	}
	page.Items = each(found, productOf)
	return page, nil
}

func productOf(p billing.Product) Product {
	return Product{ID: int(p.ID), Identifier: p.Identifier, Description: p.Description, Price: p.Price.String(), Bundle: p.Bundle, Inactive: p.Inactive}
}

// ListAgreementTypes lists the agreement types.
func (s manageScreen) ListAgreementTypes(ctx context.Context, _ ListAgreementTypesRequestObject) (ListAgreementTypesResponseObject, error) {
	all, err := s.book.AgreementTypes(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListAgreementTypes200JSONResponse{Items: each(all, agreementTypeOf)}, nil
}

// ConfirmAgreementType keeps through when the agreements of a type are invoiced.
func (s manageScreen) ConfirmAgreementType(ctx context.Context, r ConfirmAgreementTypeRequestObject) (ConfirmAgreementTypeResponseObject, error) {
	arrears := r.Body.InvoicedThrough == InvoicedThroughOneCycleEarlier
	is, err := s.book.ConfirmAgreementType(ctx, actor(ctx), workspaceOf(ctx), billing.AgreementTypeID(r.AgreementType), arrears)
	if err != nil {
		return nil, err
	}
	return ConfirmAgreementType200JSONResponse(agreementTypeOf(is)), nil
}

func agreementTypeOf(t AgreementTypeState) AgreementType {
	out := AgreementType{
		ID: int(t.ID), Name: t.Name, Inactive: t.Inactive, InvoicedThrough: InvoicedThroughDayBeforeNextInvoice, Confirmed: t.Confirmed, Agreements: t.Active,
	}
	if t.Arrears {
		out.InvoicedThrough = InvoicedThroughOneCycleEarlier
	}
	if e := t.Example; e != nil {
		out.Example = AgreementTypeExample{
			Agreement: AgreementRef{ID: int(e.Agreement.ID), Name: e.Agreement.Name}, NextInvoice: dayOf(e.NextInvoice),
			Through: dayOf(e.Through), Otherwise: dayOf(e.Between), LastInvoice: dayOf(e.LastInvoice), LastInvoiceNumber: e.LastNumber,
		}
	}
	return out
}
