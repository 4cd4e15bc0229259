package connectwise

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"trueup/server/billing"
)

// About is what Test found out about a Manage and the API member's role.
type About struct {
	Version string // "v2026.3.105333"
	Zone    string // serverTimeZone, as Manage writes it
	Region  string // of the cloud; "" on an own server
	Cloud   bool
	// Missing are permissions that the sync needs and the role lacks. Wanting are
	// those that only installing needs.
	Missing, Wanting []Permission
	// Excess are screens that the role may read although nothing here needs them.
	Excess []Permission
	// Unproven are permissions that no read can prove: see Test.
	Unproven []Permission
}

// systemInfo is the wire form of Info.
type systemInfo struct {
	Version     text `json:"version"`
	IsCloud     flag `json:"isCloud"`
	Zone        text `json:"serverTimeZone"`
	CloudRegion text `json:"cloudRegion"`
}

// Info reads version and time zone. Own servers answer it without valid keys, so it
// proves nothing about them.
//
// Vendor page: GET /system/info.
func (c *Client) Info(ctx context.Context) (About, error) {
	var w systemInfo
	if err := c.do(ctx, get("/system/info"), &w); err != nil {
		return About{}, err
	}
	return About{
		Version: plain(w.Version, 50),
		Zone:    plain(w.Zone, 100),
		Region:  plain(w.CloudRegion, 50),
		Cloud:   w.IsCloud.on(),
	}, nil
}

// probe is a read that a permission of the role allows.
type probe struct {
	route      string
	permission Permission
}

// needed are the reads that the sync makes, each for the permission it proves. The
// first one also proves keys and client id.
var needed = []probe{
	{"/finance/agreements/count", InquireAgreements},
	{"/finance/agreements/types/count", InquireSetup},
	{"/finance/billingCycles/count", InquireSetup},
	{"/company/companies/count", InquireCompanies},
	{"/procurement/catalog/count", InquireCatalog},
	{"/finance/invoices/count", InquireInvoices},
}

// installing are reads of what package plugin makes. They prove that the role may look,
// and not that it may add, edit or delete.
var installing = []probe{
	{"/system/connectwisehostedsetups/count", HostedAPI},
	{"/system/callbacks/count", Callbacks},
}

// excess are reads of other screens.
var excess = []probe{
	{"/company/contacts/count", "Companies > Contacts: inquire"},
	{"/service/tickets/count", "Service Desk > Service Tickets: inquire"},
	{"/project/projects/count", "Project > Project Headers: inquire"},
	{"/time/entries/count", "Time & Expense > Time Entry: inquire"},
	{"/expense/entries/count", "Time & Expense > Expense Entry: inquire"},
	{"/sales/opportunities/count", "Sales > Opportunities: inquire"},
	{"/procurement/purchaseorders/count", "Procurement > Purchase Orders: inquire"},
	{"/system/members/count", "System > Member Maintenance: inquire"},
}

// Test checks a connection from the outside in: the site, the company, the keys, the
// client id, the permissions. The error is a *SetupError, or one of this package's
// others when Manage can't be reached or doesn't behave; with MissingPermission the
// About is complete.
//
// Nothing is written, so what only a write would prove stays Unproven: adding and
// editing agreements, and changing callbacks. Agreement Invoicing is proved by one
// agreement's recap, so it is Unproven while there is no agreement. Permissions are
// all or nothing to a read: "all" can't be told from "mine" or from a customized role
// that hides some agreement types. Excess rights are looked for on the eight screens
// that an API member is given by mistake most often; a right to add, edit or delete
// there, or on other screens, can't be seen.
func (c *Client) Test(ctx context.Context) (*About, error) {
	if _, err := c.codebase(ctx, ""); err != nil {
		return nil, siteFault(err)
	}
	if err := c.probe(ctx, needed[0]); err != nil {
		if err = c.credentialFault(ctx, err); err != nil {
			return nil, err
		}
	}
	about, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.checkRole(ctx, &about); err != nil {
		return nil, err
	}
	if len(about.Missing) > 0 {
		return &about, &SetupError{Kind: MissingPermission, Missing: about.Missing}
	}
	return &about, nil
}

// siteFault tells a site that answers with something else from one that is down.
func siteFault(err error) error {
	var (
		api    *APIError
		decode *DecodeError
	)
	if errors.As(err, &decode) || errors.As(err, &api) && api.Status < 500 {
		return &SetupError{Kind: WrongSite, Err: err}
	}
	return err
}

// credentialFault says what the refusal of the first probe means. nil: it is about
// the role, which checkRole looks into. A 404 for an endpoint that is there is how
// the cloud refuses a company or key. A 403 to everything, also to what needs hardly
// any right, is the client id.
func (c *Client) credentialFault(ctx context.Context, err error) error {
	var api *APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.Status {
	case http.StatusUnauthorized, http.StatusNotFound:
		return &SetupError{Kind: WrongKey, Err: err}
	case http.StatusForbidden:
		if c.clientID == "" || strings.Contains(strings.ToLower(strings.ReplaceAll(api.said(), " ", "")), "clientid") {
			return &SetupError{Kind: MissingClientID, Err: err}
		}
		if _, infoErr := c.Info(ctx); hasStatus(infoErr, http.StatusForbidden) {
			return &SetupError{Kind: MissingClientID, Err: err}
		}
		return nil
	}
	return err
}

// checkRole makes the probes. Only a 403 is a word about the role; any other failure
// ends the test, for a needed one, and says nothing, for an excess one.
func (c *Client) checkRole(ctx context.Context, about *About) error {
	about.Unproven = []Permission{AddAgreements, EditAgreements}
	for _, p := range needed {
		if err := judge(c.probe(ctx, p), p.permission, &about.Missing, &about.Unproven); err != nil {
			return err
		}
	}
	if err := c.probeRecap(ctx, about); err != nil {
		return err
	}
	for _, p := range installing {
		if err := judge(c.probe(ctx, p), p.permission, &about.Wanting, &about.Unproven); err != nil {
			return err
		}
	}
	for _, p := range excess {
		switch err := c.probe(ctx, p); {
		case err == nil:
			about.Excess = append(about.Excess, p.permission)
		case ctx.Err() != nil:
			return err
		}
	}
	return nil
}

// judge notes what a probe's answer says of a permission: 403, it is lacking; 404, this
// Manage doesn't have the address, and nothing is proved.
func judge(answer error, p Permission, lacking, unproven *[]Permission) error {
	list := lacking
	switch {
	case hasStatus(answer, http.StatusForbidden):
	case hasStatus(answer, http.StatusNotFound):
		list = unproven
	default:
		return answer
	}
	if !slices.Contains(*list, p) {
		*list = append(*list, p)
	}
	return nil
}

func (c *Client) probe(ctx context.Context, p probe) error {
	return c.do(ctx, get(p.route), nil)
}

// probeRecap reads the recap of any agreement.
func (c *Client) probeRecap(ctx context.Context, about *About) error {
	q := get(agreementsRoute)
	q.query = query{"fields": "id", "pageSize": "1"}.encode()
	var some []struct {
		ID ident `json:"id"`
	}
	err := c.do(ctx, q, &some)
	if err == nil && len(some) > 0 {
		_, err = c.AgreementRecap(ctx, billing.AgreementID(some[0].ID))
		return judge(err, InquireRecap, &about.Missing, &about.Unproven)
	}
	about.Unproven = append(about.Unproven, InquireRecap)
	if hasStatus(err, http.StatusForbidden) {
		return nil // told already
	}
	return err
}
