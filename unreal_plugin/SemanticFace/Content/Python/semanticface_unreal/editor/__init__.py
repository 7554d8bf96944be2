"""What an animator sees in Unreal Editor: menus, dialogs, progress, ticks. Game thread only."""
