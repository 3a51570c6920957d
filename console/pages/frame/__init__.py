"""What all pages share: permission, navigation, paging, the envelope of live fragments."""
