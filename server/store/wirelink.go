package store

import (
	"fmt"
	"strconv"

	"trueup/server/billing"
)

type wireOptions struct {
	Users          string   `json:"users,omitzero"`
	Description    string   `json:"description,omitzero"`
	ShowUnassigned bool     `json:"showUnassigned,omitzero"`
	Basis          string   `json:"basis,omitzero"`
	Included       int      `json:"included,omitzero"`
	Minimum        int      `json:"minimum,omitzero"`
	StartDate      wireDay  `json:"startDate,omitzero"`
	AllowCredit    bool     `json:"allowNegativeProrate,omitzero"`
	BillGrace      bool     `json:"billGrace,omitzero"`
	BillTrials     wireFlag `json:"billTrials,omitzero"`
}

type wireAnswer struct {
	Kind             string `json:"kind"`
	Additions        []int  `json:"additions,omitempty"`
	WithoutProration bool   `json:"withoutProration,omitzero"`
}

func encodeOptions(o billing.Options) ([]byte, error) {
	return encode("options", wireOptions{
		Users: string(o.Users), Description: o.Description, ShowUnassigned: o.ShowUnassigned, Basis: string(o.Basis),
		Included: o.Included, Minimum: o.Minimum, StartDate: wireDay(o.StartDate),
		AllowCredit: o.AllowCredit, BillGrace: o.BillGrace, BillTrials: wireFlag(o.BillTrials),
	})
}

func decodeOptions(data []byte) (billing.Options, error) {
	var w wireOptions
	if err := decode("options", data, &w); err != nil {
		return billing.Options{}, err
	}
	o := billing.Options{
		Users: billing.NameForm(w.Users), Description: w.Description, ShowUnassigned: w.ShowUnassigned, Basis: billing.Basis(w.Basis),
		Included: w.Included, Minimum: w.Minimum, StartDate: billing.Day(w.StartDate),
		AllowCredit: w.AllowCredit, BillGrace: w.BillGrace, BillTrials: billing.Flag(w.BillTrials),
	}
	if err := known("users", o.Users, "", billing.UsersNone, billing.UsersName, billing.UsersUPN, billing.UsersInitials); err != nil {
		return o, fmt.Errorf("decode options: %w", err)
	}
	if err := known("basis", o.Basis, "", billing.Purchased, billing.Assigned); err != nil {
		return o, fmt.Errorf("decode options: %w", err)
	}
	return o, nil
}

// encodeAnswer gives nil, the null of the column, for no answer.
func encodeAnswer(a billing.Answer) ([]byte, error) {
	if a.Kind == "" {
		return nil, nil
	}
	ids := each(a.Additions, func(id billing.AdditionID) int { return int(id) })
	return encode("answer", wireAnswer{string(a.Kind), ids, a.WithoutProration})
}

func decodeAnswer(data []byte) (billing.Answer, error) {
	if data == nil {
		return billing.Answer{}, nil
	}
	var w wireAnswer
	if err := decode("answer", data, &w); err != nil {
		return billing.Answer{}, err
	}
	a := billing.Answer{
		Kind:             billing.AnswerKind(w.Kind),
		Additions:        each(w.Additions, func(id int) billing.AdditionID { return billing.AdditionID(id) }),
		WithoutProration: w.WithoutProration,
	}
	if err := known("answer", a.Kind, billing.Adopt, billing.Replace, billing.Alongside); err != nil {
		return a, fmt.Errorf("decode answer: %w", err)
	}
	return a, nil
}

// encodeDrift gives nil, the null of the column, for no answers.
func encodeDrift(drift map[billing.AdditionID]billing.DriftAnswer) ([]byte, error) {
	if len(drift) == 0 {
		return nil, nil
	}
	w := make(map[string]string, len(drift))
	for id, a := range drift {
		w[strconv.Itoa(int(id))] = string(a)
	}
	return encode("drift", w)
}

func decodeDrift(data []byte) (map[billing.AdditionID]billing.DriftAnswer, error) {
	if data == nil {
		return nil, nil //nolint:nilnil // null is no answers
	}
	var w map[string]billing.DriftAnswer
	if err := decode("drift", data, &w); err != nil {
		return nil, err
	}
	out := make(map[billing.AdditionID]billing.DriftAnswer, len(w))
	for key, a := range w {
		id, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("decode drift: %w: %q is no addition", ErrInvalid, key)
		}
		if err := known("drift answer", a, billing.DriftAdopt, billing.DriftRevert, billing.DriftDetach); err != nil {
			return nil, fmt.Errorf("decode drift: %w", err)
		}
		out[billing.AdditionID(id)] = a
	}
	return out, nil
}
