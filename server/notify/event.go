package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"trueup/server/billing"
)

// How long before something ends it is told, in days: twice, so that the second word
// comes when the first was put aside.
const (
	endsSoon     = 30
	endsVerySoon = 7
)

// incompleteFor is how long Microsoft's answers may be incomplete before that is told:
// mostly the next read is whole.
const incompleteFor = 24 * time.Hour

// failuresTold is after how many failed syncs in a row that is told: the first is tried
// again within a minute.
const failuresTold = 2

// Events are what is so in a situation and worth telling, each with a key that stays the
// same for as long as it is so. free says which SKUs cost nothing, of which nothing is
// told. One trouble is told once: a broken connection, and not all that it breaks.
func Events(s billing.Situation, now time.Time, free func(billing.SKUID, string) bool) []billing.Notification {
	e := &events{s: s, now: now, broken: map[billing.ConnectionID]billing.ConnectionState{}}
	for _, c := range s.Connections {
		if c.Broken {
			e.broken[c.ID] = c
			e.manageBroken = e.manageBroken || c.Manage
		}
	}
	e.holds()
	e.connections()
	e.callbacks()
	e.failures()
	e.agreementsEnd()
	e.partner()
	e.licenses(free)
	slices.SortFunc(e.out, func(a, b billing.Notification) int { return cmp.Compare(a.Key, b.Key) })
	return slices.CompactFunc(e.out, func(a, b billing.Notification) bool { return a.Key == b.Key })
}

type events struct {
	s            billing.Situation
	now          time.Time
	broken       map[billing.ConnectionID]billing.ConnectionState
	manageBroken bool
	out          []billing.Notification
}

func (e *events) add(kind billing.NotificationKind, key string, n billing.Notification) {
	n.Kind, n.Key = kind, key
	n.Text, n.Action = plain(n.Text, textMost), plain(n.Action, textMost)
	e.out = append(e.out, n)
}

// silent are the holds of which nobody is told as such: a person has nothing to decide,
// or the failed read is told instead.
func silent(c billing.Code) bool {
	switch c {
	case billing.TenantUnreadable, billing.SnapshotIncomplete, billing.TenantRemoved, billing.Frozen, billing.ObserveOnly:
		return true
	}
	return false
}

// ofAgreement are the holds that say of an agreement that it can't take lines.
func ofAgreement(c billing.Code) bool {
	switch c {
	case billing.AgreementNotActive, billing.AgreementOneTime, billing.AgreementEnds, billing.AgreementChanged,
		billing.AgreementTypeNotAllowed, billing.BillingCycleUnsupported, billing.NextInvoiceUnknown, billing.ParentDiffers,
		billing.ProrateChanged:
		return true
	}
	return false
}

// holds tells the plans that wait, each by its first hold: those of an agreement together.
// While a workspace only observes, nothing is lost by waiting.
func (e *events) holds() {
	agreements := map[string]*billing.Notification{}
	for _, w := range e.s.Waiting {
		at := slices.IndexFunc(w.Holds, func(h billing.Hold) bool { return !silent(h.Code) })
		if at < 0 {
			continue
		}
		h := w.Holds[at]
		changes := ownChanges(w)
		n := billing.Notification{
			Customer: w.Customer, License: w.License, Action: billing.ActionFor(h.Code), Money: moneyOf(changes), By: w.ApproveBy,
			Screen: "/approvals?customer=" + strconv.FormatInt(int64(w.Customer), 10),
		}
		if !ofAgreement(h.Code) {
			if !e.s.Workspace.Observe {
				n.Text = plain(first(w.Label, "A license"), nameMost) + ": " + billing.Sentence(h.Reason)
				e.add(billing.HoldsWaiting, "hold:"+string(w.Link)+":"+string(h.Code), n)
			}
			continue
		}
		n.License, n.Text = billing.LicenseRef{}, billing.Sentence(h.Reason)
		where := h.Reason.Parts["agreement"]
		if len(changes) > 0 {
			where = strconv.FormatInt(int64(changes[0].Agreement), 10)
		}
		key := fmt.Sprintf("agreement:%d:%s:%s", w.Customer, where, h.Code)
		if known := agreements[key]; known != nil {
			known.Money, known.By = addMoney(known.Money, n.Money), earlier(known.By, n.By)
			continue
		}
		agreements[key] = &n
	}
	for key, n := range agreements {
		e.add(billing.AgreementTrouble, key, *n)
	}
}

// ownChanges are those of the link: a plan that moves several has all of them.
func ownChanges(w billing.Waits) []billing.Change {
	own := slices.DeleteFunc(slices.Clone(w.Changes), func(c billing.Change) bool { return c.Link != w.Link })
	if len(own) == 0 {
		return w.Changes
	}
	return own
}

func moneyOf(changes []billing.Change) []billing.Money {
	var sum []billing.Money
	for _, c := range changes {
		sum = addMoney(sum, []billing.Money{c.Money})
	}
	return sum
}

// addMoney sums by currency; amounts beyond what a decimal holds are left as they are.
func addMoney(a, b []billing.Money) []billing.Money {
	out := slices.Clone(a)
	for _, m := range b {
		if m.Monthly.IsZero() && m.NextInvoice.IsZero() {
			continue
		}
		at := slices.IndexFunc(out, func(o billing.Money) bool { return o.Currency == m.Currency })
		if at < 0 {
			out = append(out, m)
			continue
		}
		if sum, err := out[at].Monthly.Add(m.Monthly); err == nil {
			out[at].Monthly = sum
		}
		if sum, err := out[at].NextInvoice.Add(m.NextInvoice); err == nil {
			out[at].NextInvoice = sum
		}
	}
	return out
}

func earlier(a, b billing.Day) billing.Day {
	if a.IsZero() || !b.IsZero() && b < a {
		return b
	}
	return a
}

// soon is the stage of something that ends on a day: "" when that is far, else 30 or 7.
func (e *events) soon(day billing.Day) string {
	switch left := day - e.s.Today; {
	case left > endsSoon:
		return ""
	case left > endsVerySoon:
		return strconv.Itoa(endsSoon)
	}
	return strconv.Itoa(endsVerySoon)
}

func (e *events) connections() {
	for _, c := range e.s.Connections {
		name, id := plain(c.Name, nameMost), strconv.FormatInt(int64(c.ID), 10)
		if c.Broken {
			e.add(billing.ConnectionBroken, "connection:"+id, billing.Notification{
				Text: "The connection " + name + " is broken. " + c.Text, Action: c.Action, Screen: "/connections",
			})
		}
		if c.Expires.IsZero() {
			continue
		}
		day := billing.DayOf(c.Expires.UTC())
		if stage := e.soon(day); stage != "" {
			e.add(billing.CredentialExpires, "expires:"+id+":"+day.String()+":"+stage, billing.Notification{
				Text:   "What the connection " + name + " signs in with ends on " + words(day) + ".",
				Action: "Give it a new secret or certificate, or have the consent given again, before that day.", Screen: "/connections",
			})
		}
	}
}

// repairedTold is for how many days a repair of callbacks is worth telling.
const repairedTold = 2

// callbacks tells that Manage doesn't say any more what changes there, unless nothing of it
// can be reached, and that it did not for a while.
func (e *events) callbacks() {
	c := e.s.Callbacks
	if c.Trouble != "" && !e.manageBroken {
		e.add(billing.ConnectionBroken, "callbacks", billing.Notification{
			Text: "ConnectWise may not tell Trueup what changes there; every night all is compared. " + c.Trouble, Action: c.Action, Screen: "/connections",
		})
	}
	if day := c.Repaired; !day.IsZero() && e.s.Today-day < repairedTold {
		e.add(billing.ConnectionBroken, "callbacks:repaired:"+day.String(), billing.Notification{
			Text:   "Callbacks in ConnectWise were disabled, edited or gone, and were repaired on " + words(day) + ". What changed there before is found by the night.",
			Action: "If it happens again, see whether ConnectWise can reach Trueup, and who edits its callbacks.", Screen: "/connections",
		})
	}
}

// failures tells of syncs that fail and of tenants that can't be read, unless a broken
// connection is why.
func (e *events) failures() {
	for _, f := range e.s.Failures {
		if f.Failures < failuresTold || f.Error.Code == "connectwise_not_connected" || e.manageBroken && brokenBy(f.Error.Code, e.s.Connections) {
			continue
		}
		e.add(billing.SyncFailed, "sync:"+strconv.FormatInt(int64(f.Customer), 10), billing.Notification{
			Customer: f.Customer, Text: first(f.Error.Message, "The last syncs of this customer failed."), Action: f.Error.Action, Screen: customerScreen(f.Customer),
		})
	}
	for _, f := range e.s.Faults {
		if _, is := e.broken[f.Connection]; is || f.Fault.Hold == billing.TenantRemoved || f.Fault.Hold == billing.SnapshotIncomplete && e.now.Sub(f.Good) < incompleteFor {
			continue
		}
		e.add(billing.SyncFailed, "unread:"+string(f.Tenant), billing.Notification{
			Customer: f.Customer, Text: "Its Microsoft tenant could not be read. " + f.Fault.Text, Action: f.Fault.Action, Screen: customerScreen(f.Customer),
		})
	}
}

func brokenBy(code string, all []billing.ConnectionState) bool {
	return slices.ContainsFunc(all, func(c billing.ConnectionState) bool { return c.Manage && c.Broken && c.Code == code })
}

// agreementsEnd tells of agreements that lines stand on, before they end.
func (e *events) agreementsEnd() {
	for _, a := range e.s.Ends {
		stage := e.soon(a.End)
		if stage == "" || a.End < e.s.Today {
			continue
		}
		e.add(billing.AgreementTrouble, fmt.Sprintf("ends:%d:%d:%s:%s", a.Customer, a.Agreement, a.End, stage), billing.Notification{
			Customer: a.Customer, Text: "Agreement " + plain(first(a.Name, strconv.FormatInt(int64(a.Agreement), 10)), nameMost) + " ends on " + words(a.End) + ".",
			Action: "Prolong it in Manage, or link its licenses to another agreement.", Screen: customerScreen(a.Customer),
		})
	}
}

// partner tells what a partner's list has more or less than the customers.
func (e *events) partner() {
	by := map[billing.TenantID][]billing.PartnerTenant{}
	for _, t := range e.s.Tenants {
		by[t.Tenant] = append(by[t.Tenant], t)
	}
	for id, rows := range by {
		t := rows[0]
		here := slices.IndexFunc(rows, func(t billing.PartnerTenant) bool { return t.GoneOn.IsZero() })
		name := plain(first(t.Name, t.Domain, string(id)), nameMost)
		switch {
		case here >= 0 && t.Customer == 0:
			n := billing.Notification{Text: name + " is in the partner's list and is not added.", Action: "Add it as a customer, or mute it.", Screen: "/customers"}
			if d := plain(t.Domain, nameMost); d != "" && d != name {
				n.Text = name + " (" + d + ") is in the partner's list and is not added."
			}
			e.add(billing.TenantsNotAdded, "tenant:"+string(id), n)
		case here < 0 && t.Customer != 0:
			e.gone(t.Customer, id, "The tenant "+name+" is gone from the partner's list.")
		}
		if here >= 0 && t.Customer != 0 {
			e.relationship(rows[here], name)
		}
	}
	for _, f := range e.s.Faults {
		if f.Fault.Hold == billing.TenantRemoved {
			e.gone(f.Customer, f.Tenant, f.Fault.Text)
		}
	}
}

func (e *events) gone(c billing.CustomerID, t billing.TenantID, text string) {
	e.add(billing.TenantsGone, "gone:"+string(t), billing.Notification{
		Customer: c, Text: text, Action: billing.ActionFor(billing.TenantRemoved), Screen: customerScreen(c),
	})
}

func (e *events) relationship(t billing.PartnerTenant, name string) {
	if t.Ends.IsZero() {
		return
	}
	day := billing.DayOf(t.Ends.UTC())
	if stage := e.soon(day); stage != "" {
		e.add(billing.CredentialExpires, "relationship:"+string(t.Tenant)+":"+day.String()+":"+stage, billing.Notification{
			Customer: t.Customer, Text: "The partner relationship with the tenant " + name + " ends on " + words(day) + ".",
			Action: "Ask the customer for a new one in Partner Center before that day.", Screen: customerScreen(t.Customer),
		})
	}
}

func (e *events) licenses(free func(billing.SKUID, string) bool) {
	for _, l := range e.s.Licenses {
		if l.Purchased <= 0 || free(l.License.SKU, l.PartNumber) {
			continue
		}
		name := plain(first(l.Name, l.PartNumber, string(l.License.SKU)), nameMost)
		key := string(l.License.Tenant) + "." + string(l.License.SKU)
		n := billing.Notification{Customer: l.Customer, License: l.License, Screen: "/links?customer=" + strconv.FormatInt(int64(l.Customer), 10)}
		if !l.Answered {
			n.Text = name + ": " + seats(l.Purchased) + " that no link bills."
			n.Action = "Link the license to a billing profile, or set it to do not bill."
			e.add(billing.UnlinkedLicenses, "unlinked:"+key, n)
		}
		if left := l.Purchased - l.Assigned; l.Assignable && left > 0 {
			n.Text = fmt.Sprintf("%s: %d of %s are assigned to nobody.", name, left, seats(l.Purchased))
			n.Action = "Offer the customer to reduce them, or to assign them."
			e.add(billing.UnassignedSeats, "unassigned:"+key, n)
		}
	}
}

func seats(n int) string {
	if n == 1 {
		return "1 seat"
	}
	return strconv.Itoa(n) + " seats"
}

func customerScreen(c billing.CustomerID) string {
	return "/customers/" + strconv.FormatInt(int64(c), 10)
}

// words is a day as people read it.
func words(d billing.Day) string { return d.Time().Format("2 January 2006") }
