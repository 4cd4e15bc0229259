// Package plugin is being inside ConnectWise Manage: the screens that Manage frames, the
// members that look at them, and the callbacks by which Manage says that something
// changed. It knows no license, no agreement and no table, and would fit another product.
//
//   - Install makes in a Manage what a Manifest wants there, once: what stands as it
//     should is left alone, what was edited, disabled or deleted is repaired, and
//     Uninstall removes what was made and nothing else. Check is the look of every night.
//   - A member is believed only when the workspace's own Manage vouches for it.
//   - A callback is believed only with a signature under a key of that Manage, and even
//     then it is a hint: the record is read again.
//
// The package makes no client of its own. Every call goes through the *http.Client that
// it is given, which guards addresses and keeps to the workspace's budget, and through a
// function that puts credentials on the request: the package holds none. Every byte that
// comes back is read up to a limit and taken for hostile until it is checked.
//
// What the vendor's papers leave open (which screens a Manage has, whether one of them
// shows agreements, which permission a role needs for them) is read or told apart at the
// place where it matters, never assumed elsewhere.
package plugin
