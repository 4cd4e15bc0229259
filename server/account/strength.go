package account

import (
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/match"
)

// The bounds of a password. The strength is measured of its first characters only, since
// measuring takes longer than linearly in them.
const (
	minPassword  = 10  // characters
	maxPassword  = 200 // bytes
	measured     = 72  // bytes
	strongEnough = 3   // of 4: safe against an offline attack on a slow hash
)

// checkStrength refuses a password that would be guessed, and says why. own is what an
// attacker knows of the person: address, name, workspace.
func checkStrength(password string, own ...string) error {
	weak := func(sentence, action string) error {
		return &Error{Class: Invalid, Code: "weak_password", Field: "password", Sentence: sentence, Action: action}
	}
	const better = "Use four or more words that don't belong together, or let a password manager make one."
	switch {
	case len(password) > maxPassword:
		return weak("The password is longer than 200 characters.", "Use a shorter one.")
	case !utf8.ValidString(password):
		return weak("The password holds characters that can't be read.", better)
	case utf8.RuneCountInString(password) < minPassword:
		return weak("The password has fewer than 10 characters.", better)
	}
	inputs := []string{"trueup", "connectwise", "microsoft"}
	for _, text := range own {
		inputs = append(inputs, strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" @.-_+", r) })...)
		inputs = append(inputs, strings.ToLower(text))
	}
	head := password[:min(len(password), measured)]
	m := zxcvbn.PasswordStrength(head, inputs)
	if m.Score >= strongEnough {
		return nil
	}
	return weak(whyWeak(m.MatchSequence), better)
}

// whyWeak tells of the longest part that is easy to guess.
func whyWeak(parts []match.Match) string {
	var worst match.Match
	for _, p := range parts {
		if p.Pattern != "bruteforce" && len(p.Token) > len(worst.Token) {
			worst = p
		}
	}
	switch {
	case worst.Pattern == "spatial":
		return "The password is a row of keys, which is guessed early."
	case worst.Pattern == "repeat":
		return "The password repeats the same characters, which is guessed early."
	case worst.Pattern == "sequence":
		return "The password is a sequence such as abc or 123, which is guessed early."
	case worst.Pattern == "date":
		return "The password is built on a date, which is guessed early."
	case worst.DictionaryName == "user_inputs":
		return "The password is built on your name, address or workspace, which is guessed first."
	case worst.Pattern == "dictionary":
		return "The password is built on a common word, name or password, which is guessed early."
	}
	return "The password is easy to guess."
}
