package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// CustomersBook is what the screen needs. D5: customers and matching.
type CustomersBook interface {
	CustomerList
	CustomerDesk
	CustomerView
	Matcher
}

// CustomerList reads customers.
type CustomerList interface {
	// Customers lists customers; next is the cursor's content of the next page, nil after
	// the last, and total is how many there are on all pages.
	Customers(ctx context.Context, w billing.WorkspaceID, q CustomerQuery) (page []CustomerState, next *CustomerPlace, total int, err error)
	// Customer is one; ErrNotFound.
	Customer(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (CustomerState, error)
	// Standing is how one stands in the work; ErrNotFound.
	Standing(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (Working, error)
}

// CustomerDesk changes customers, each in one transaction with who did it, and makes them
// due.
type CustomerDesk interface {
	// AddCustomers makes customers of companies; what became of each stands at its place.
	// A company that is a customer with these tenants already is done, so that a request
	// that was cut can be sent again whole.
	AddCustomers(ctx context.Context, by billing.Actor, w billing.WorkspaceID, wishes []CustomerInput) ([]Added, error)
	// ChangeCustomer gives a customer exactly these tenants. ErrMoved when version isn't
	// the one that stands.
	ChangeCustomer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.CustomerID, version int64, tenants []CustomerTenantInput) error
	// RemoveCustomer takes a customer out; the next runs end its lines. ErrNotFound.
	RemoveCustomer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.CustomerID) error
}

// CustomerView shows what is behind a customer; ErrNotFound.
type CustomerView interface {
	// Agreements are those of its company in Manage, now.
	Agreements(ctx context.Context, w billing.WorkspaceID, company billing.CompanyID) ([]AgreementState, error)
	// Users lists who held something on a day (zero: today), by name after a user.
	Users(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, q UserQuery) (page []UserState, day billing.Day, err error)
	// Trends are its sums at the ends of months, the newest as of now.
	Trends(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, months int) ([]TrendState, error)
	// Preview is what a sync would write now. Nothing is kept of it.
	Preview(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (RunState, []PlanState, error)
}

// CustomerQuery narrows and orders a list of customers.
type CustomerQuery struct {
	Text, State, Sort string
	Connection        billing.ConnectionID
	After             *CustomerPlace
	Limit             int
}

// CustomerPlace is where a customer stands in an order.
type CustomerPlace struct {
	Key  decimal.Decimal    `json:"k"`
	Name string             `json:"n"`
	ID   billing.CustomerID `json:"i"`
}

// CustomerState is a customer as lists show it.
type CustomerState struct {
	Working

	Version                                int64
	Tenants                                []CustomerTenant
	Licenses, Unlinked, Waiting, Attention int
	Purchased, Assigned                    int
	Trends                                 []TrendState // the newest of each currency
	Pending                                []billing.Money
	URL                                    string // of the company in Manage; "" when not known
}

// Added is what became of a customer that was to be added: its id, or why it isn't one.
type Added struct {
	ID    billing.CustomerID
	Trial error // nil: it is one
}

// UserQuery narrows the users of a customer.
type UserQuery struct {
	Text  string
	Day   billing.Day // zero: today
	After *UserPlace
	Limit int // one more is given where there are more
}

// UserPlace is where a user stands in the order of names.
type UserPlace struct {
	Name string `json:"n"`
	ID   string `json:"i"`
}

// UserState is a user with what they held.
type UserState struct {
	billing.Holder

	Licenses []LicenseName
}

type customersScreen struct {
	book CustomersBook
	now  func() time.Time
}

// How many rows a page has where nothing else is asked for.
const (
	usualPage = 50
	usualMany = 100
)

// ListCustomers lists the customers.
func (s customersScreen) ListCustomers(ctx context.Context, r ListCustomersRequestObject) (ListCustomersResponseObject, error) {
	p := r.Params
	q := CustomerQuery{
		Text: strings.TrimSpace(p.Q), State: string(p.State), Sort: string(p.Sort), Connection: billing.ConnectionID(p.Connection), Limit: limitOf(p.Limit, usualMany),
	}
	if p.Cursor != "" {
		q.After = &CustomerPlace{}
	}
	if err := readCursor(p.Cursor, q.After); err != nil {
		return nil, err
	}
	page, next, total, err := s.book.Customers(ctx, workspaceOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := ListCustomers200JSONResponse{Items: make([]Customer, len(page)), Total: total}
	for i, c := range page {
		if out.Items[i], err = customerOf(c, s.now()); err != nil {
			return nil, err
		}
	}
	if next != nil {
		out.Next, err = cursorOf(next)
	}
	return out, err
}

// GetCustomer answers with one.
func (s customersScreen) GetCustomer(ctx context.Context, r GetCustomerRequestObject) (GetCustomerResponseObject, error) {
	c, err := s.customer(ctx, billing.CustomerID(r.Customer))
	return GetCustomer200JSONResponse(c), err
}

func (s customersScreen) customer(ctx context.Context, id billing.CustomerID) (Customer, error) {
	is, err := s.book.Customer(ctx, workspaceOf(ctx), id)
	if err != nil {
		return Customer{}, err
	}
	return customerOf(is, s.now())
}

// AddCustomer makes a customer of a company.
func (s customersScreen) AddCustomer(ctx context.Context, r AddCustomerRequestObject) (AddCustomerResponseObject, error) {
	added, err := s.book.AddCustomers(ctx, actor(ctx), workspaceOf(ctx), []CustomerInput{*r.Body})
	if err == nil {
		err = added[0].Trial
	}
	if err != nil {
		return nil, err
	}
	c, err := s.customer(ctx, added[0].ID)
	return AddCustomer201JSONResponse(c), err
}

// AddCustomers makes many; what is wrong with one keeps none of the others out.
func (s customersScreen) AddCustomers(ctx context.Context, r AddCustomersRequestObject) (AddCustomersResponseObject, error) {
	added, err := s.book.AddCustomers(ctx, actor(ctx), workspaceOf(ctx), r.Body.Items)
	if err != nil {
		return nil, err
	}
	out := AddCustomers200JSONResponse{Results: make([]BulkResult, len(added))}
	for i, a := range added {
		if a.Trial != nil {
			out.Results[i] = problemOf(i, a.Trial)
			out.Failed++
			continue
		}
		out.Results[i] = BulkResult{Index: i, Ok: true, ID: strconv.FormatInt(int64(a.ID), 10)}
		out.Done++
	}
	return out, nil
}

// ChangeCustomer gives a customer other tenants.
func (s customersScreen) ChangeCustomer(ctx context.Context, r ChangeCustomerRequestObject) (ChangeCustomerResponseObject, error) {
	id := billing.CustomerID(r.Customer)
	if _, err := s.book.Standing(ctx, workspaceOf(ctx), id); err != nil {
		return nil, err
	}
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.book.ChangeCustomer(ctx, actor(ctx), workspaceOf(ctx), id, version, r.Body.Tenants); err != nil {
		return nil, err
	}
	c, err := s.customer(ctx, id)
	return ChangeCustomer200JSONResponse{Body: c, Headers: ChangeCustomer200ResponseHeaders{ETag: quoted(c.Version)}}, err
}

// RemoveCustomer takes one out.
func (s customersScreen) RemoveCustomer(ctx context.Context, r RemoveCustomerRequestObject) (RemoveCustomerResponseObject, error) {
	if err := s.book.RemoveCustomer(ctx, actor(ctx), workspaceOf(ctx), billing.CustomerID(r.Customer)); err != nil {
		return nil, err
	}
	return RemoveCustomer200JSONResponse{Customers: []int{r.Customer}, Count: 1}, nil
}

// ListCustomerAgreements lists the agreements of its company.
func (s customersScreen) ListCustomerAgreements(ctx context.Context, r ListCustomerAgreementsRequestObject) (ListCustomerAgreementsResponseObject, error) {
	is, err := s.book.Standing(ctx, workspaceOf(ctx), billing.CustomerID(r.Customer))
	if err != nil {
		return nil, err
	}
	all, err := s.book.Agreements(ctx, workspaceOf(ctx), is.Customer.Company)
	return ListCustomerAgreements200JSONResponse{Items: each(all, agreementStateOf)}, err
}

// ListCustomerUsers lists who held what on a day.
func (s customersScreen) ListCustomerUsers(ctx context.Context, r ListCustomerUsersRequestObject) (ListCustomerUsersResponseObject, error) {
	q := UserQuery{Text: strings.TrimSpace(r.Params.Q), Limit: limitOf(r.Params.Limit, usualPage)}
	var err error
	if q.Day, err = dayIn("day", r.Params.Day); err != nil {
		return nil, err
	}
	if r.Params.Cursor != "" {
		q.After = &UserPlace{}
	}
	if err := readCursor(r.Params.Cursor, q.After); err != nil {
		return nil, err
	}
	page, day, err := s.book.Users(ctx, workspaceOf(ctx), billing.CustomerID(r.Customer), q)
	if err != nil {
		return nil, err
	}
	out := ListCustomerUsers200JSONResponse{Day: dayOf(day)}
	if len(page) > q.Limit {
		page = page[:q.Limit]
		last := page[q.Limit-1]
		if out.Next, err = cursorOf(UserPlace{last.Name, last.ID}); err != nil {
			return nil, err
		}
	}
	out.Items = each(page, func(u UserState) CustomerUser {
		return CustomerUser{ID: u.ID, Name: u.Name, UPN: u.UPN, Enabled: u.Enabled, Licenses: list(u.Licenses)}
	})
	return out, nil
}

// GetCustomerTrends answers with seats and money by month.
func (s customersScreen) GetCustomerTrends(ctx context.Context, r GetCustomerTrendsRequestObject) (GetCustomerTrendsResponseObject, error) {
	id := billing.CustomerID(r.Customer)
	if _, err := s.book.Standing(ctx, workspaceOf(ctx), id); err != nil {
		return nil, err
	}
	all, err := s.book.Trends(ctx, workspaceOf(ctx), id, limitOf(r.Params.Months, usualMonths))
	return GetCustomerTrends200JSONResponse{Points: pointsOf(all)}, err
}

// PlanCustomer answers with what a sync would write now.
func (s customersScreen) PlanCustomer(ctx context.Context, r PlanCustomerRequestObject) (PlanCustomerResponseObject, error) {
	run, plans, err := s.book.Preview(ctx, workspaceOf(ctx), billing.CustomerID(r.Customer))
	if err != nil {
		return nil, err
	}
	out := PlanCustomer200JSONResponse{Run: runOf(run), Plans: make([]Plan, len(plans))}
	for i, p := range plans {
		if out.Plans[i], err = planOf(p); err != nil {
			return nil, err
		}
	}
	out.Money, err = sumOf(moneyIn(run.Changes))
	return out, err
}

// GetCustomerSync answers how one stands in the work.
func (s customersScreen) GetCustomerSync(ctx context.Context, r GetCustomerSyncRequestObject) (GetCustomerSyncResponseObject, error) {
	is, err := s.book.Standing(ctx, workspaceOf(ctx), billing.CustomerID(r.Customer))
	return GetCustomerSync200JSONResponse(standingOf(is, s.now())), err
}

// customerOf is a customer as the document calls it. A sum beyond what a decimal can hold
// is an error.
func customerOf(c CustomerState, now time.Time) (Customer, error) {
	out := Customer{
		ID: int(c.Customer.ID), Company: int(c.Customer.Company), Identifier: c.Customer.Identifier, Name: c.Customer.Name,
		Tenants: list(c.Tenants), Licenses: c.Licenses, Unlinked: c.Unlinked, Waiting: c.Waiting, Attention: c.Attention,
		Billed: []Amount{}, Unused: []Amount{}, Purchased: c.Purchased, Assigned: c.Assigned,
		Sync: standingOf(c.Working, now), Version: strconv.FormatInt(c.Version, 10), URL: c.URL,
	}
	for _, t := range c.Trends {
		out.Billed, out.Unused = amountIn(out.Billed, t.Currency, t.Billed), amountIn(out.Unused, t.Currency, t.Unused)
	}
	var err error
	out.Pending, err = sumOf(c.Pending)
	return out, err
}

// amountIn adds an amount to a list; nothing of no currency is nothing.
func amountIn(all []Amount, currency string, n decimal.Decimal) []Amount {
	if currency == "" && n.IsZero() {
		return all
	}
	return append(all, Amount{Currency: currency, Amount: n.String()})
}
