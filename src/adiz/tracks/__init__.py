"""Who a track is and how far its reports can be believed."""
