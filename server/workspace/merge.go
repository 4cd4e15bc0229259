package workspace

import (
	"maps"
	"slices"

	"trueup/server/billing"
)

// builtIn are the options of a link when neither file nor workspace say.
func builtIn() billing.Options {
	return billing.Options{Users: billing.UsersNone, Basis: billing.Purchased, BillGrace: true}
}

// defaults are the workspace's link defaults as the file leaves them.
func (s SettingsPart) defaults(stored billing.Options) billing.Options {
	if stored.Users == "" && stored.Basis == "" {
		stored = builtIn()
	}
	d := s.LinkDefaults
	stored.Users = billing.NameForm(d.Users.Or(string(stored.Users)))
	stored.Basis = billing.Basis(d.Basis.Or(string(stored.Basis)))
	stored.AllowCredit = d.AllowCredit.Or(stored.AllowCredit)
	stored.BillGrace = d.BillGrace.Or(stored.BillGrace)
	if d.BillTrials.Set {
		stored.BillTrials = billing.FlagOf(d.BillTrials.Value)
	}
	return stored
}

// workspace is the stored settings with what the file says of them and of the policy.
func (f *File) workspace(stored billing.Workspace) billing.Workspace {
	s := f.Settings
	stored.Name = s.Name.Or(stored.Name)
	stored.Zone = s.Zone.Or(stored.Zone)
	if s.Mode.Set {
		stored.Observe = s.Mode.Value == "observe"
	}
	stored.NightlyAt = s.NightlyAt.Or(stored.NightlyAt)
	stored.UnknownMember = s.UnknownMember.Or(stored.UnknownMember)
	stored.EmbedFallback = s.EmbedFallback.Or(stored.EmbedFallback)
	stored.LinkDefaults = s.defaults(stored.LinkDefaults)
	stored.Policy = f.Policy.over(stored.Policy)
	stored.Arrears = maps.Clone(stored.Arrears)
	return stored
}

// over is the stored policy with what the file says: approveAbove says all its bounds,
// one that it leaves out is none.
func (p PolicyPart) over(stored billing.Policy) billing.Policy {
	if p.Above {
		stored.Seats, stored.Percent, stored.Amount = pointer(p.Seats), pointer(p.Percent), pointer(p.Amount)
	}
	stored.FreezeDays = p.FreezeDays.Or(stored.FreezeDays)
	return stored
}

func pointer[T any](f Field[T]) *T {
	if !f.Set {
		return nil
	}
	return &f.Value
}

// over is the stored connection to Manage with what the file says of it.
func (m ManagePart) over(stored ManageConnection) ManageConnection {
	stored.Site = m.Site.Or(stored.Site)
	stored.Company = m.Company.Or(stored.Company)
	stored.PublicKey = m.PublicKey.Or(stored.PublicKey)
	stored.PrivateKey = m.PrivateKey.Or(stored.PrivateKey)
	stored.ClientID = m.ClientID.Or(stored.ClientID)
	return stored
}

// over is a stored connection to Microsoft, or a new one, with what the file says. A
// secret of another way in doesn't stay beside the new one.
func (m MicrosoftPart) over(stored MicrosoftConnection) MicrosoftConnection {
	c := MicrosoftConnection{
		ID:           stored.ID,
		Name:         m.Name.Value,
		Kind:         m.Kind.Value,
		Tenant:       m.Tenant.Value,
		ClientID:     m.ClientID.Value,
		ClientSecret: m.ClientSecret.Or(stored.ClientSecret),
		Certificate:  m.Certificate.Or(stored.Certificate),
		Username:     m.Username.Or(stored.Username),
		Password:     m.Password.Or(stored.Password),
		Cloud:        m.Cloud.Or("global"),
	}
	switch {
	case m.ClientSecret.Set:
		c.Certificate = Secret{}
	case m.Certificate.Set:
		c.ClientSecret = Secret{}
	}
	if c.Kind != "password" {
		c.Username, c.Password = "", Secret{}
	}
	return c
}

// Connections are the connections as they will be when the file is applied: what to
// reach Manage and Microsoft with for Resolve. Those at fault are left out.
func (f *File) Connections(stored Config) (ManageConnection, []MicrosoftConnection) {
	list := slices.Clone(stored.Microsoft)
	for _, m := range f.Microsoft {
		if !m.Name.Set || !m.Kind.Set {
			continue
		}
		i := slices.IndexFunc(list, func(c MicrosoftConnection) bool { return lower(c.Name) == lower(m.Name.Value) })
		if i < 0 {
			list = append(list, m.over(MicrosoftConnection{}))
			continue
		}
		list[i] = m.over(list[i])
	}
	return f.Manage.over(stored.Manage), list
}

// options are a link's: what it says itself, else the defaults. Its start date stays
// when the file leaves it out, for it matters to the first sync only.
func (l LinkPart) options(defaults billing.Options, stored billing.Options) billing.Options {
	o := billing.Options{
		Users:          billing.NameForm(l.Users.Or(string(defaults.Users))),
		Description:    l.Description.Value,
		ShowUnassigned: l.ShowUnassigned.Value,
		Basis:          billing.Basis(l.Basis.Or(string(defaults.Basis))),
		Included:       l.Included.Value,
		Minimum:        l.Minimum.Value,
		StartDate:      l.StartDate.Or(stored.StartDate),
		AllowCredit:    l.AllowCredit.Or(defaults.AllowCredit),
		BillGrace:      l.BillGrace.Or(defaults.BillGrace),
	}
	// A default of false is no answer to "bill this trial?"; only the link's own is.
	switch {
	case l.BillTrials.Set:
		o.BillTrials = billing.FlagOf(l.BillTrials.Value)
	case defaults.BillTrials == billing.On:
		o.BillTrials = billing.On
	}
	if l.Subscription.Set {
		o.Basis = billing.Purchased // Microsoft doesn't say who holds one subscription
	}
	return o
}

// answer is what the file says of lines that aren't ours; without a word of it an
// answer that a person gave stays.
func (l LinkPart) answer(stored billing.Answer) billing.Answer {
	switch {
	case l.Adopt.Set:
		return billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{billing.AdditionID(l.Adopt.Value)},
			WithoutProration: l.WithoutProration.Value}
	case l.Replace.Set:
		return billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{billing.AdditionID(l.Replace.Value)}}
	case l.AlongsideGiven && len(l.Alongside) > 0:
		a := billing.Answer{Kind: billing.Alongside}
		for _, f := range l.Alongside {
			a.Additions = append(a.Additions, billing.AdditionID(f.Value))
		}
		slices.Sort(a.Additions)
		a.Additions = slices.Compact(a.Additions)
		return a
	case l.AlongsideGiven:
		return billing.Answer{}
	}
	return stored
}
