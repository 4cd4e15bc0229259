package connectwise

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// healthy answers all probes of Test.
func healthy(m *manage) {
	for _, p := range slices.Concat(installing, needed, excess) {
		m.on("GET "+p.route, says(200, `{"count":3}`))
	}
	for _, p := range excess {
		m.on("GET "+p.route, says(403, `{"code":"Security","message":"no"}`))
	}
	m.on("GET /system/info", says(200, `{"version":"v2026.3.105333","isCloud":true,"serverTimeZone":"Eastern Standard Time","cloudRegion":"NA"}`))
	m.on("GET /finance/agreements", says(200, `[{"id":7}]`))
	m.on("GET /finance/agreementrecap/7", says(200, `{"id":7}`))
}

func TestTest(t *testing.T) {
	t.Parallel()
	denied := says(403, `{"code":"Security","message":"You do not have security permission to perform this action."}`)
	unproven := []Permission{AddAgreements, EditAgreements}
	for _, c := range []struct {
		name  string
		spoil func(*manage, *Client)
		fault Fault
		code  string
		want  About
	}{
		{name: "all is well", want: About{Unproven: unproven}},
		{name: "excess", spoil: func(m *manage, _ *Client) { m.on("GET /system/members/count", says(200, `{"count":3}`)) },
			want: About{Unproven: unproven, Excess: []Permission{"System > Member Maintenance: inquire"}}},
		{name: "excess that can't be known", spoil: func(m *manage, _ *Client) { m.on("GET /system/members/count", says(500, ``)) },
			want: About{Unproven: unproven}},
		{name: "permissions", fault: MissingPermission, spoil: func(m *manage, _ *Client) {
			m.on("GET /procurement/catalog/count", denied)
			m.on("GET /finance/billingCycles/count", denied)
			m.on("GET /finance/agreements/types/count", denied)
			m.on("GET /finance/agreementrecap/7", denied)
			m.on("GET /system/callbacks/count", denied)
			m.on("GET /system/connectwisehostedsetups/count", denied)
		}, want: About{Missing: []Permission{InquireSetup, InquireCatalog, InquireRecap}, Wanting: []Permission{HostedAPI, Callbacks}, Unproven: unproven}},
		{name: "a Manage without a hosted API", spoil: func(m *manage, _ *Client) {
			m.on("GET /system/connectwisehostedsetups/count", says(404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`))
		}, want: About{Unproven: append(slices.Clone(unproven), HostedAPI)}},
		{name: "no agreements allowed", fault: MissingPermission, spoil: func(m *manage, _ *Client) {
			m.on("GET /finance/agreements/count", denied)
			m.on("GET /finance/agreements", denied)
		}, want: About{Missing: []Permission{InquireAgreements}, Unproven: append(slices.Clone(unproven), InquireRecap)}},
		{name: "no agreements there", spoil: func(m *manage, _ *Client) { m.on("GET /finance/agreements", says(200, `[]`)) },
			want: About{Unproven: append(slices.Clone(unproven), InquireRecap)}},
		{name: "an address that isn't there", spoil: func(m *manage, _ *Client) {
			m.on("GET /finance/invoices/count", says(404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`))
		}, want: About{Unproven: append(slices.Clone(unproven), InquireInvoices)}},
		{name: "key", fault: WrongKey, spoil: func(m *manage, _ *Client) {
			m.on("GET /finance/agreements/count", says(401, `{"code":"Unauthorized","message":"UserNotAuthenticated"}`))
		}},
		{name: "key, as the cloud says it", fault: WrongKey, spoil: func(m *manage, _ *Client) { m.on("GET /finance/agreements/count", says(404, `<html>`)) }},
		{name: "client id, by its words", fault: MissingClientID, spoil: func(m *manage, _ *Client) {
			m.on("GET /finance/agreements/count", says(403, `{"code":"ConnectWiseApi","message":"A valid client Id header is required."}`))
		}},
		{name: "client id, by refusing all", fault: MissingClientID, spoil: func(m *manage, _ *Client) {
			m.on("GET /finance/agreements/count", denied)
			m.on("GET /system/info", denied)
		}},
		{name: "company", fault: WrongCompany, spoil: func(_ *manage, c *Client) { c.company = "nobody" }},
		{name: "site that is no Manage", fault: WrongSite, spoil: func(m *manage, _ *Client) { m.on("GET /login/companyinfo/acme", says(200, `<html>`)) }},
		{name: "site without companyinfo", fault: WrongSite, spoil: func(m *manage, _ *Client) { m.on("GET /login/companyinfo/acme", says(404, `<html>`)) }},
		{name: "site with a codebase that is none", fault: WrongSite, spoil: func(m *manage, _ *Client) {
			m.on("GET /login/companyinfo/acme", says(200, `{"Codebase":"../../evil/"}`))
		}},
		{name: "unreachable", code: "connectwise_unreachable", spoil: func(m *manage, _ *Client) { m.on("GET /login/companyinfo/acme", hangUp) }},
		{name: "site is down", code: "connectwise_failed", spoil: func(m *manage, _ *Client) { m.on("GET /login/companyinfo/acme", says(503, ``)) }},
		{name: "rate", code: "connectwise_rate_limited", spoil: func(m *manage, _ *Client) { m.on("GET /company/companies/count", says(429, ``)) }},
		{name: "breaks down", code: "connectwise_failed", spoil: func(m *manage, _ *Client) { m.on("GET /company/companies/count", says(500, ``)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			healthy(m)
			client := m.client()
			if c.spoil != nil {
				c.spoil(m, client)
			}
			got, err := client.Test(testContext(t))
			code, text, action, ok := Told(err)
			if err != nil && (!ok || text == "" || action == "") {
				t.Errorf("not told: %v", err)
			}
			var setup *SetupError
			switch {
			case c.code != "":
				if code != c.code {
					t.Errorf("code %q, want %q: %v", code, c.code, err)
				}
				return
			case c.fault != "":
				if !errors.As(err, &setup) || setup.Kind != c.fault || code != "connectwise_"+string(c.fault) {
					t.Fatalf("want %s: %v", c.fault, err)
				}
			case err != nil:
				t.Fatal(err)
			}
			if c.fault != "" && c.fault != MissingPermission {
				return
			}
			c.want.Version, c.want.Zone, c.want.Region, c.want.Cloud = "v2026.3.105333", "Eastern Standard Time", "NA", true
			if d := cmp.Diff(&c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A test of a connection only reads.
func TestTestWritesNothing(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	healthy(m)
	if _, err := m.client().Test(testContext(t)); err != nil {
		t.Fatal(err)
	}
	for _, c := range m.calls {
		if c[:4] != http.MethodGet+" " {
			t.Error(c)
		}
	}
}

// Access is a way to the codebase of now, with the credentials.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	first, err := s.client.Access(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Upgrade("v2027_1/", "v2027.1")
	now, err := s.client.Access(testContext(t))
	if err != nil || first.API == now.API || now.API != s.url+"/v2027_1/apis/3.0" || now.Site != s.url || now.Company != "acme" {
		t.Fatalf("first %q, now %q at %q, %v", first.API, now.API, now.Site, err)
	}
	req, err := http.NewRequestWithContext(testContext(t), http.MethodGet, now.API+"/finance/agreements/count", nil)
	if err != nil {
		t.Fatal(err)
	}
	now.Sign(req)
	resp, err := now.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
}
